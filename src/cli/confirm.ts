/** Asks before something is destroyed, and for answers that were not given as options. */

import { createInterface } from 'node:readline/promises'
import { Problem, UsageProblem } from './command.ts'

/** Returns only if the person agrees. Where nobody can be asked, `--yes` must have been given. */
export async function confirm(question: string, yes: boolean): Promise<void> {
  if (yes) return
  if (!canAsk()) throw new UsageProblem(`${question} Nobody can be asked here; say --yes to do it`)
  const answer = await ask(`${question} [y/N]`, 'n')
  if (!/^y(es)?$/i.test(answer)) throw new Problem('nothing was done')
}

/** What is typed, or `fallback` for an empty line. */
export async function ask(question: string, fallback: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await lines.question(`${question} `)
    return answer.trim() === '' ? fallback : answer.trim()
  } finally {
    lines.close()
  }
}

export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY
}
