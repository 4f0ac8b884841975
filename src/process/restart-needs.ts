/** What a running Postern cannot change. */

import type { Config } from '../core/config/schema.ts'

/** In words: what `next` has otherwise than the settings that the processes were started with. */
export function restartNeeds(started: Config, next: Config): readonly string[] {
  return [
    ...(listening(started) === listening(next) ? [] : ['listeners: addresses']),
    ...(started.queue.workers === next.queue.workers ? [] : ['queue.workers']),
    ...(started.queue.inlineSizeBytes === next.queue.inlineSizeBytes ? [] : ['queue.inline-size']),
    ...(started.user === next.user ? [] : ['user']),
  ]
}

function listening({ listeners }: Config): string {
  return JSON.stringify(Object.values(listeners).map(({ enabled, address, fallbackPort }) => ({ enabled, address, fallbackPort })))
}
