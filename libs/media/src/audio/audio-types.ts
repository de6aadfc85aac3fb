import type { AudioFormat } from '@manuel/contracts';

/** Formats that share a container, so that one may be announced as the other. */
const sameContainer: Readonly<Partial<Record<AudioFormat, AudioFormat>>> = { mp4: 'm4a', m4a: 'mp4' };

/** Whether bytes of one format may be announced as the other. */
export const isSameAudio = (found: AudioFormat, announced: AudioFormat): boolean =>
  found === announced || sameContainer[found] === announced;
