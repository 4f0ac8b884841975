/** Waiting. Nothing here keeps the process alive by itself. */

import type { Timers } from '../relay/ports.ts'

export const timers: Timers = {
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds).unref()
    return () => clearTimeout(timer)
  },
}
