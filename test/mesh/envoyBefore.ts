import { locatePinned } from '../../scripts/parts/locate.js';

// Every program that a test starts takes Envoy by this variable.
process.env['PSMG_ENVOY'] = locatePinned('envoy-before');
