/** postern up */

import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, lstatSync } from 'node:fs'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { CODE_FLAGS, CODE_FOLDER } from '../../process/permissions.ts'
import { defineCommand } from '../command.ts'
import { configFile, readConfig } from '../directory.ts'
import { eventLine, type LogLine } from '../event-line.ts'
import { shortPath } from '../files.ts'
import { dirOption, explainCommand, program, sendCommand, senderIn } from '../first-message.ts'
import { domainOfHost, hostnameOfMachine, makeFirstDirectory, type You } from '../first-run.ts'
import { indent, table, type Look } from '../output.ts'

const MAIN = path.join(CODE_FOLDER, 'src', 'main.ts')

export default defineCommand({
  summary: 'Start at once: the first time, make all that is needed; then run, and say how to send a message.',
  details: `The first run makes a data directory as "postern init" does, and a certificate for you. Until postern.toml says where
mail should go, each message is kept as a file in sink/, and nothing leaves this machine. Later runs just run.

The listeners are open on every address of this machine, unless postern.toml says otherwise. Without a certificate of
yours, others can send to your own domain and nowhere else.`,
  options: {
    hostname: { type: 'text', value: 'H', describe: 'First run: the host name (default: this machine\'s full name, or localhost).' },
    domain: { type: 'text', value: 'D', describe: 'First run: the mail domain (default: from the host name).' },
    smarthost: { type: 'text', value: 'HOST:PORT', describe: 'First run: deliver to this server instead of keeping messages here.' },
    'json-logs': { type: 'flag', describe: 'Write the log as JSON lines, as "postern run" does, instead of lines for people.' },
  },
  examples: ['postern up', 'postern up --hostname mx.example.org --domain example.org'],
  run: async ({ args, directory, json, look }) => {
    const raw = args['json-logs'] || json
    const say = (text: string): boolean => (raw ? process.stderr : process.stdout).write(`${text}\n`)
    // Throws for a folder into which nobody else may look.
    if (lstatSync(configFile(directory), { throwIfNoEntry: false }) === undefined) {
      const hostname = args.hostname ?? hostnameOfMachine()
      const domain = args.domain ?? domainOfHost(hostname)
      say(`Making a relay named ${hostname} for ${domain} in ${shortPath(directory)} …`)
      say(`${yourFiles(directory, await makeFirstDirectory(directory, { hostname, domain, smarthost: args.smarthost ?? null }), look)}\n`)
    }
    const show = (line: LogLine): void => {
      if (line['event'] === 'ready' && Array.isArray(line['listeners'])) return void say(welcome(directory, line['listeners'] as Listening[], look))
      const text = raw ? null : eventLine(line, id => explainCommand(directory, id), look)
      if (text !== null) say(text)
    }
    const sink = startSink(directory, line => void (line['event'] === 'ready' ? null : show(line)))
    const relay = startRelay(directory, raw, show)
    const exitCode = await endOf(relay)
    sink?.kill('SIGTERM')
    return { exitCode }
  },
  render: () => '',
  toJson: () => undefined,
  exitCode: ({ exitCode }) => (exitCode === 0 ? 0 : 1),
})

type Listening = { readonly name: string; readonly address: string; readonly port: number }

function yourFiles(directory: string, you: You, look: Look): string {
  const base = path.join(shortPath(directory), 'clients', you.name)
  return indent(
    `${look.bold('Your certificate')}, for ${you.address}:
${base}.pem and ${base}.key for programs,
${base}.p12 for mail programs; its password, shown only now: ${look.bold(you.p12Password)}`,
  )
}

function welcome(directory: string, listeners: readonly Listening[], look: Look): string {
  const rows = listeners.map(({ name, port }) => [name, String(port), PURPOSES[name] ?? ''])
  const sections = [`${look.good('Postern is running.')}\n\n${indent(table(['LISTENER', 'PORT', 'FOR'], rows, look))}`]
  const sender = senderIn(directory)
  const port = listeners.find(({ name }) => name === 'submission')?.port
  if (sender !== null && port !== undefined) {
    const kept = isTrial(directory) ? ` It is kept in ${shortPath(path.join(directory, 'sink'))}/; nothing leaves this machine.` : ''
    sections.push(
      `${look.bold('Send a first message')}, from another terminal.${kept}\n\n${indent(sendCommand(directory, port, sender, { anonymous: false }))}`,
      `${look.bold('Then try it without the certificate')}, and be told why not:\n\n${indent(sendCommand(directory, port, sender, { anonymous: true }))}`,
    )
  }
  sections.push(
    `Whatever is refused shows up here with the command that explains it.
${isTrial(directory) ? `To deliver for real, edit [delivery] in ${shortPath(configFile(directory))}, then: ${program()} reload${dirOption(directory)}\n` : ''}Ctrl-C stops.`,
  )
  return `${sections.join('\n\n')}\n`
}

const PURPOSES: { readonly [listener: string]: string } = {
  mx: 'mail from other servers, STARTTLS',
  submission: 'people and machines with a certificate, STARTTLS',
  submissions: 'the same, with TLS from the first byte',
}

/** The smarthost is ours if it is on loopback and there is a folder to keep messages in. */
function isTrial(directory: string): boolean {
  const { smarthost } = readConfig(directory).delivery
  return smarthost !== null && smarthost.host === '127.0.0.1' && existsSync(path.join(directory, 'sink'))
}

/** A process of its own, which can write in sink/ and nowhere else: it reads what comes over a socket. */
function startSink(directory: string, show: (line: LogLine) => void): ChildProcess | null {
  const { smarthost } = readConfig(directory).delivery
  if (smarthost === null || !isTrial(directory)) return null
  const folder = path.join(directory, 'sink')
  const quiet = ['--disable-warning=SecurityWarning', '--disable-warning=ExperimentalWarning']
  const permissions = [...quiet, '--permission', '--allow-net', ...CODE_FLAGS, `--allow-fs-read=${folder}`, `--allow-fs-write=${folder}`]
  const words = ['sink', '--json', '--port', String(smarthost.port), '--folder', folder, '--dir', directory]
  const child = spawn(process.execPath, [...permissions, MAIN, ...words], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  if (child.stdout !== null) readLines(child.stdout, show)
  return child
}

/** The channel ends the relay when this process is gone, however it went. */
function startRelay(directory: string, raw: boolean, show: (line: LogLine) => void): ChildProcess {
  const relay = spawn(process.execPath, [MAIN, 'run', '--dir', directory], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  if (relay.stdout !== null) {
    if (raw) relay.stdout.pipe(process.stdout)
    readLines(relay.stdout, show)
  }
  process.on('SIGHUP', () => relay.kill('SIGHUP'))
  // Ctrl-C comes from the terminal and once more from a launcher; the relay takes the first.
  for (const signal of ['SIGINT', 'SIGTERM', 'disconnect'] as const) process.on(signal, () => relay.kill('SIGTERM'))
  return relay
}

function readLines(stream: Readable, show: (line: LogLine) => void): void {
  createInterface({ input: stream }).on('line', text => {
    const line = parseLine(text)
    if (line !== null) show(line)
  })
}

function parseLine(text: string): LogLine | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as LogLine) : null
  } catch {
    return null
  }
}

async function endOf(child: ChildProcess): Promise<number> {
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 1
}
