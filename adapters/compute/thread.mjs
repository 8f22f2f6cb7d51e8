// Where a compute thread starts. Plain JavaScript: a thread does not inherit what makes TypeScript loadable.
import { register } from 'tsx/esm/api';

register();
await import('./threadMain.ts');
