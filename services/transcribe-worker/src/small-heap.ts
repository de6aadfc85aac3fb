import { setFlagsFromString } from 'node:v8';

/**
 * Imported before all else. This process waits more than it works: with a small young generation it is collected more often
 * and stays about 70 MB smaller under load (measured: 189 instead of 259 MB resident), which counts more than the speed.
 */
setFlagsFromString('--max-semi-space-size=2');
setFlagsFromString('--semi-space-growth-factor=1');
