/**
 * A whole Postern for a test: its own data folder, free ports, the real program.
 *
 * It is made and spoken to as an administrator does it: `init`, the configuration file, `run`, the
 * commands. Nothing of its source is imported, so these tests hold for any build of it.
 */

import { spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import { parse, stringify, type TomlTable } from 'smol-toml'
import type { CertificateFiles } from './certificates.ts'
import { familyOf, freePorts, killFamily, mustRun, run, signal, waitFor, type Finished, type RunOptions } from './processes.ts'

const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'postern')

export type PosternOptions = {
  readonly hostname?: string
  readonly domain?: string
  /** Port of the next hop on 127.0.0.1; mail goes there in the clear unless `settings` say more. */
  readonly smarthost?: number
  /** Put over what `init` wrote, table by table and key by key. */
  readonly settings?: TomlTable
  /** Lines put before those that `init` wrote in the access map. */
  readonly access?: readonly string[]
}

export type Listener = 'mx' | 'submission' | 'submissions'

/** A line of the log. Every line is one JSON object. */
export type LogLine = Readonly<Record<string, unknown>>

export type Postern = {
  readonly folder: string
  readonly ports: Readonly<Record<Listener, number>>
  /** The authority that clients trust. */
  readonly authority: string
  /** Process id of what was started; its descendants are the rest of Postern. */
  readonly pid: () => number
  /** Runs `postern COMMAND … --dir` of this instance. */
  readonly command: (args: readonly string[], options?: RunOptions) => Promise<Finished>
  /** The same with `--json`; a command that fails is an error. */
  readonly json: (args: readonly string[]) => Promise<unknown>
  /** Issues a certificate as PEM files; `options` are those of `user add`, such as `--email A`. */
  readonly issue: (name: string, ...options: readonly string[]) => Promise<CertificateFiles>
  readonly log: () => readonly LogLine[]
  /** Everything it wrote, for error messages. */
  readonly output: () => string
  readonly start: () => Promise<void>
  /** As an administrator stops it: SIGTERM, and it must end by itself. */
  readonly stop: () => Promise<void>
  /** SIGKILL for every process of it at once. */
  readonly killAll: () => Promise<void>
  /** Stops it if it runs, and removes its folder. */
  readonly dispose: () => Promise<void>
}

/** Makes a Postern and waits until all its listeners are open. */
export async function startPostern(options: PosternOptions = {}): Promise<Postern> {
  const postern = await makePostern(options)
  try {
    await postern.start()
  } catch (error) {
    await postern.dispose()
    throw error
  }
  return postern
}

/** The same, not yet running. */
export async function makePostern(options: PosternOptions = {}): Promise<Postern> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-test-'))
  chmodSync(folder, 0o711) // Started as root, its workers are somebody else, and their spool is in here.
  const data = join(folder, 'data')
  const { hostname = 'relay.example.test', domain = 'example.test' } = options
  await mustRun(PROGRAM, ['init', '--hostname', hostname, '--domain', domain, '--dir', data])

  const [mx = 0, submission = 0, submissions = 0, web = 0] = await freePorts(4)
  const ports = { mx, submission, submissions }
  configure(join(data, 'postern.toml'), { ...options, ports: { ...ports, web } })
  if (options.access !== undefined) putFirst(join(data, 'access'), options.access)

  const running = new Running(data)
  const command = (args: readonly string[], more?: RunOptions): Promise<Finished> =>
    run(PROGRAM, [...args, '--dir', data], more)
  return {
    folder: data,
    ports,
    authority: join(data, 'ca', 'ca.pem'),
    pid: () => running.pid,
    command,
    json: async args => JSON.parse(await mustRun(PROGRAM, [...args, '--json', '--dir', data])),
    issue: async (name, ...options) => {
      await mustRun(PROGRAM, ['user', 'add', name, ...options, '--format', 'pem', '--out', folder, '--dir', data])
      return { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) }
    },
    log: () => running.log(),
    output: () => running.output,
    start: () => running.start(),
    stop: () => running.stop(),
    killAll: () => running.killAll(),
    dispose: async () => {
      await running.stop().finally(() => rmSync(folder, { recursive: true, force: true }))
    },
  }
}

/** TLS options of a client that trusts this Postern and shows a certificate, or none. */
export function showing(postern: Postern, certificate: CertificateFiles | null): ConnectionOptions {
  return {
    servername: 'localhost',
    ca: readFileSync(postern.authority),
    ...(certificate === null ? {} : { cert: readFileSync(certificate.certificate), key: readFileSync(certificate.key) }),
  }
}

/** The process, and what it writes. */
class Running {
  readonly #data: string
  #child: ChildProcess | null = null
  /** The group of what ended by itself; others of it may still be there. */
  #left: number | null = null
  #output = ''

  constructor(data: string) {
    this.#data = data
  }

  get pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error('Postern is not running')
    return pid
  }

  get output(): string {
    return this.#output
  }

  log(): LogLine[] {
    return this.#output
      .split('\n')
      .filter(line => line.startsWith('{') && line.endsWith('}'))
      .map(line => JSON.parse(line) as LogLine)
  }

  async start(): Promise<void> {
    this.#output = ''
    // A process group of its own: `killAll` then ends all of it in one system call.
    const child = spawn(PROGRAM, ['run', '--dir', this.#data], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    if (child.pid !== undefined) endWithTest(child.pid)
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#output += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#output += text))
    child.on('exit', () => {
      if (this.#child === child) this.#child = null
      this.#left = child.pid ?? null
    })

    const ready = (): boolean => this.log().some(line => line['event'] === 'ready')
    try {
      const told = (): string => this.#output
      await waitFor('Postern to be ready or gone', () => ready() || this.#child === null, { told })
      if (!ready()) throw new Error(`Postern ended before it was ready\n${this.#output}`)
    } catch (error) {
      await this.killAll()
      throw error
    }
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (child?.pid === undefined) return
    const { pid } = child
    signal(pid, 'SIGTERM')
    try {
      const stopped = (): boolean => this.#child === null && familyOf(pid).length === 0
      await waitFor('every process of Postern to stop after SIGTERM', stopped, { told: () => this.#output })
    } finally {
      await this.#kill(pid)
    }
  }

  async killAll(): Promise<void> {
    const leader = this.#child?.pid ?? this.#left
    if (leader !== null && familyOf(leader).length > 0) await this.#kill(leader)
  }

  async #kill(pid: number): Promise<void> {
    await killFamily(pid)
    await waitFor('the killed Postern to be gone', () => this.#child === null)
    this.#left = null
    groups.delete(pid) // The number may be another program's from now on.
  }
}

/** Writes whole tables, so that nothing depends on how `init` lays the file out. */
function configure(
  file: string,
  options: PosternOptions & { readonly ports: Readonly<Record<Listener | 'web', number>> },
): void {
  const { ports, smarthost, settings = {} } = options
  const at = (port: number): TomlTable => ({ address: `127.0.0.1:${port}` })
  const ours: TomlTable = {
    listeners: { mx: at(ports.mx), submission: at(ports.submission), submissions: at(ports.submissions) },
    ...(smarthost === undefined ? {} : { delivery: { smarthost: `127.0.0.1:${smarthost}` } }),
  }
  const written = parse(readFileSync(file, 'utf8'))
  if (written['web'] !== undefined) ours['web'] = at(ports.web)
  writeFileSync(file, stringify(merged(merged(written, ours), settings)))
}

function merged(below: TomlTable, above: TomlTable): TomlTable {
  const result = { ...below }
  for (const [key, value] of Object.entries(above)) {
    const old = result[key]
    result[key] = isTable(old) && isTable(value) ? merged(old, value) : value
  }
  return result
}

function isTable(value: unknown): value is TomlTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

function putFirst(file: string, lines: readonly string[]): void {
  writeFileSync(file, `${lines.join('\n')}\n${readFileSync(file, 'utf8')}`)
}

const groups = new Set<number>()
let guarded = false

/** No Postern outlives the test that started it, however the test ends. */
function endWithTest(pid: number): void {
  if (!guarded) {
    guarded = true
    process.on('exit', () => {
      for (const group of groups) signal(-group, 'SIGKILL')
    })
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(1))
  }
  groups.add(pid)
}
