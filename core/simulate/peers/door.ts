import type { AdmissionController, AdmissionFactory, AdmissionPlace } from '../control.js';
import type { TwinModel } from '../model.js';
import { ownRegion } from './istioModel.js';

/** A limiter of its own at the door of every instance of our region. */
export function atOwnDoors(
  model: TwinModel,
  make: (place: AdmissionPlace, number: number) => AdmissionController,
): AdmissionFactory {
  const own = ownRegion(model);
  let doors = 0;
  return (place) => (place.side === 'inbound' && place.region === own ? make(place, doors++) : undefined);
}
