/**
 * Starting programs in tests, waiting for what they do, and leaving none behind.
 *
 * Every wait has a deadline and says what it was waiting for. Nothing is ended by name: only by the
 * pid of something started here, or of its descendants.
 */

import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

export type Finished = {
  /** Null when a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export type RunOptions = {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly timeoutSeconds?: number
  /** Run it as the user and group of this number; only root can. */
  readonly account?: number
}

/** Runs a program to its end. One that takes too long is killed, and that is an error. */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const { input = '', env = {}, cwd, timeoutSeconds = 60, account } = options
  const who = account === undefined ? {} : { uid: account, gid: account }
  const child = spawn(program, [...args], { env: { ...process.env, ...env }, ...(cwd === undefined ? {} : { cwd }), ...who })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.on('error', () => {}) // It may end without reading its input.
  child.stdin.end(input)

  let late = false
  const timer = setTimeout(() => {
    late = true
    child.kill('SIGKILL')
  }, timeoutSeconds * 1000)
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    if (late) throw new Error(`${describe(program, args)} did not end in ${timeoutSeconds} s\n${stdout}${stderr}`)
    return { code, stdout, stderr }
  } finally {
    clearTimeout(timer)
  }
}

/** Runs a program that must succeed, and returns its standard output. */
export async function mustRun(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const finished = await run(program, args, options)
  if (finished.code !== 0) {
    throw new Error(`${describe(program, args)} ended with ${finished.code}\n${finished.stdout}${finished.stderr}`)
  }
  return finished.stdout
}

/** Asks again and again until there is an answer; after the deadline the error tells what was missing. */
export async function waitFor<Value>(
  what: string,
  ask: () => Value | null | undefined | false | Promise<Value | null | undefined | false>,
  options: { readonly timeoutSeconds?: number; readonly told?: () => string } = {},
): Promise<Value> {
  const { timeoutSeconds = 30, told = () => '' } = options
  const deadline = Date.now() + timeoutSeconds * 1000
  for (;;) {
    const answer = await ask()
    if (answer !== null && answer !== undefined && answer !== false) return answer
    if (Date.now() > deadline) throw new Error(`waited ${timeoutSeconds} s for ${what}\n${told()}`)
    await sleep(25)
  }
}

/** Ports of 127.0.0.1 that nobody listens on now; all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map(server => {
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
    return address.port
  })
  await Promise.all(servers.map(server => new Promise(done => server.close(done))))
  return ports
}

/** Whether somebody listens on a port of 127.0.0.1. */
export function isOpen(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    const end = (open: boolean) => (): void => {
      socket.destroy()
      resolve(open)
    }
    socket.on('connect', end(true)).on('error', end(false))
  })
}

/** Everything that descends from a process or belongs to its group, itself included, at this moment. */
export function familyOf(leader: number): number[] {
  const processes = listProcesses()
  const family = new Set(processes.filter(({ pid, group }) => pid === leader || group === leader).map(({ pid }) => pid))
  for (let before = -1; before !== family.size; ) {
    before = family.size
    for (const { pid, parent } of processes) if (family.has(parent)) family.add(pid)
  }
  return [...family]
}

/**
 * Kills a family outright. The group goes in one system call, as near to one instant as there is;
 * descendants with a group of their own follow. Resolves when none is left.
 */
export async function killFamily(leader: number): Promise<void> {
  const family = familyOf(leader)
  signal(-leader, 'SIGKILL')
  for (const pid of family) signal(pid, 'SIGKILL')
  await waitFor(
    `the processes ${family.join(' ')} to be gone`,
    () => !listProcesses().some(({ pid }) => family.includes(pid)),
  )
}

/** Sends a signal to a process that may be gone already. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

type ProcessEntry = { readonly pid: number; readonly parent: number; readonly group: number }

/** Living processes. Zombies hold nothing and are left out. */
function listProcesses(): ProcessEntry[] {
  return existsSync('/proc/self/stat') ? listByProc() : listByPs()
}

/** From the fields of proc(5)'s stat; small systems have no ps. */
function listByProc(): ProcessEntry[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      let stat: string
      try {
        stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      } catch {
        return [] // It ended while we looked.
      }
      // The second field is the program's name in parentheses, which may hold spaces and parentheses.
      const [state = '', parent, group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return asEntry(Number(name), Number(parent), Number(group), state)
    })
}

/** Where there is no /proc, as on macOS. */
function listByPs(): ProcessEntry[] {
  const listed = execFileSync('ps', ['-axo', 'pid=,ppid=,pgid=,stat='], { encoding: 'utf8' })
  return listed.split('\n').flatMap(line => {
    const [pid, parent, group, state = ''] = line.trim().split(/\s+/)
    return asEntry(Number(pid), Number(parent), Number(group), state)
  })
}

function asEntry(pid: number, parent: number, group: number, state: string): ProcessEntry[] {
  return pid === 0 || /^[ZX]/.test(state) ? [] : [{ pid, parent, group }]
}

function describe(program: string, args: readonly string[]): string {
  return `"${[program, ...args].join(' ')}"`
}
