import type { LiveService } from '../core/spec/live.js';
import type { SettingField } from '../core/spec/settings.js';
import { Because, seconds } from './document.js';

export interface Told {
  value(field: SettingField): Because;
  ms(field: SettingField): Because;
}

/** Settings of a service with their reasons. */
export function told({ settings, reasons }: LiveService): Told {
  return {
    value: (field) => new Because(settings[field], reasons[field]),
    ms: (field) => new Because(seconds(Number(settings[field])), reasons[field]),
  };
}
