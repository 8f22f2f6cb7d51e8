import { remoteSourceContract } from './contract.js';
import { BODIES, LIST, PLACED, placed } from './samples.js';

for (const kind of PLACED) {
  remoteSourceContract(kind, { spec: (url) => placed(kind, { url }), body: BODIES[kind] });
}

remoteSourceContract('calendar', { spec: (url) => ({ kind: 'calendar', url }), body: JSON.stringify(LIST) });
