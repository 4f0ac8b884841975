/** Asks before something is destroyed, and for answers that were not given as options. */

import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
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

/** What is typed, which does not show on the terminal. */
export async function askHidden(question: string): Promise<string> {
  process.stderr.write(`${question} `)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  try {
    return await lines.question('')
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}

export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY
}
