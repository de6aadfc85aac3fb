import { setFlagsFromString } from 'node:v8';

/**
 * Imported before all else. This process waits more than it works: optimised for size it is collected early and often, and
 * stays at 143 MB resident with 1,000 transcriptions in flight (measured), at no more processor time; without, 180 to 330 MB.
 */
setFlagsFromString('--optimize-for-size');
setFlagsFromString('--max-semi-space-size=2');
setFlagsFromString('--semi-space-growth-factor=1');
