/** How long certificates are valid, unless the command says otherwise. */

import { UsageProblem } from './command.ts'

/** Apple's programs take no server certificate that is valid for longer than 825 days. */
export const SERVER_DAYS = 820
export const CLIENT_DAYS = 365
const MOST_DAYS = 36_500

/** What --days says. */
export function validDays(given: number | undefined, usual: number): number {
  const days = given ?? usual
  if (days < 1 || days > MOST_DAYS) throw new UsageProblem(`--days ${days}: a certificate is valid for 1 day at least, and ${MOST_DAYS} at most`)
  return days
}
