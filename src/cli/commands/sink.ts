/** postern sink */

import path from 'node:path'
import { startTrialHop } from '../../io/trial-hop.ts'
import { defineCommand, Problem } from '../command.ts'
import { errorCode, reason } from '../directory.ts'
import { shortPath } from '../files.ts'
import { visible } from '../output.ts'

/** Beside the ports that the listeners take where low ones can't be bound. */
const SINK_PORT = 2526

export default defineCommand({
  summary: 'Be a next hop for trying things out: keep each message as a file, send none on.',
  details: '"postern up" runs this by itself. It listens on 127.0.0.1 only. With --json it prints one JSON object a line.',
  options: {
    port: { type: 'number', value: 'N', describe: `The port to listen on (default ${SINK_PORT}; 0 lets the system choose).` },
    folder: { type: 'text', value: 'FOLDER', describe: 'Where to keep messages (default: sink/ in the data directory).' },
  },
  examples: ['postern sink', 'postern sink --port 2500 --folder kept'],
  run: async ({ args, directory, json, look }) => {
    const port = args.port ?? SINK_PORT
    const folder = args.folder === undefined ? path.join(directory, 'sink') : path.resolve(args.folder)
    const print = (line: string, facts: object): boolean => process.stdout.write(`${json ? JSON.stringify({ time: new Date().toISOString(), ...facts }) : line}\n`)
    const started = startTrialHop({
      port,
      folder,
      onMessage: message => {
        const to = message.forwardPaths.map(visible).join(' ')
        print(`${look.good('kept')} ${shortPath(message.file)}  from <${visible(message.reversePath)}> to ${to}`, { event: 'kept', ...message })
      },
    })
    const hop = await started.catch(error => {
      throw new Problem(`cannot listen on 127.0.0.1:${port}: ${errorCode(error) === 'EADDRINUSE' ? 'another program has the port; choose one with --port' : reason(error)}`)
    })
    print(`Keeping messages that come to 127.0.0.1:${hop.port} in ${shortPath(folder)}.`, { event: 'ready', port: hop.port, folder })
    await untilSignalled()
    hop.close()
    return null
  },
  render: () => '',
  toJson: () => undefined,
})

/** Ends on a signal, and with the process that started us, if it keeps a channel. */
async function untilSignalled(): Promise<void> {
  await new Promise<void>(resolve => {
    for (const event of ['SIGINT', 'SIGTERM', 'disconnect'] as const) process.on(event, () => resolve())
  })
}
