/** Who runs this program, by name. */

import os from 'node:os'

/** Null for an account that has only a number, as in many containers. */
export function accountName(): string | null {
  try {
    return os.userInfo().username
  } catch {
    return null
  }
}
