/** postern stop */

import { setTimeout as sleep } from 'node:timers/promises'
import { Problem, defineCommand } from '../command.ts'
import { askRunning } from '../running.ts'

const POLL_MILLISECONDS = 50
const DEFAULT_WAIT_SECONDS = 60

export default defineCommand({
  summary: 'Stop a running Postern: sessions and deliveries under way finish first.',
  options: {
    wait: { type: 'number', value: 'SECONDS', describe: `How long to wait for the end (default ${DEFAULT_WAIT_SECONDS}; 0 not at all).` },
  },
  examples: ['postern stop', 'postern stop --wait 0'],
  run: async ({ args, directory }) => {
    const { pid } = await askRunning(directory, { do: 'status' })
    await askRunning(directory, { do: 'stop' })
    const waitSeconds = args.wait ?? DEFAULT_WAIT_SECONDS
    if (waitSeconds === 0) return { pid, stopped: false }
    for (const end = Date.now() + waitSeconds * 1000; Date.now() < end; await sleep(POLL_MILLISECONDS)) {
      if (!isAlive(pid)) return { pid, stopped: true }
    }
    throw new Problem(`process ${pid} is still finishing after ${waitSeconds} s; wait longer with --wait, or end it with: kill ${pid}`)
  },
  render: ({ stopped }) => (stopped ? 'Stopped.' : 'Stopping.'),
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
