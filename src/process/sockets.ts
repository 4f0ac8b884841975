/**
 * The listening sockets: bound once by the supervisor, shared by all workers, kept through restarts.
 *
 * They come from systemd where it passes them (sd_listen_fds(3): LISTEN_FDS, LISTEN_FDNAMES with the
 * names mx, submission, submissions, lmtp), else they are bound here, before anybody drops privileges. The
 * supervisor never accepts from them.
 */

import net from 'node:net'
import { fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'
import type { SocketPlace } from '../core/config/listeners-table.ts'
import type { ListenerConfig } from '../core/config/schema.ts'
import type { ListenerName } from '../core/policy/decision.ts'
import { bindUnixSocket, problemOfPlace } from './unix-socket.ts'

export type BoundListener = {
  readonly name: ListenerName
  readonly fd: number
  /** An IP address, the path of a UNIX socket, or `systemd`. */
  readonly address: string
  /** 0 where there is none. */
  readonly port: number
  /** Why it is not on the port it would have by default; null if it is. */
  readonly note: string | null
}

export type Sockets = {
  readonly bound: readonly BoundListener[]
  /** May be said twice. Once the workers have closed theirs, clients are refused; what systemd has passed waits there for the next start. */
  close(): void
}

export const LISTENER_NAMES: readonly ListenerName[] = ['mx', 'submission', 'submissions', 'lmtp']

const FIRST_PASSED_FD = 3

/** Binds what the configuration enables. All that cannot be bound is named at once. */
export async function bindListeners(
  listeners: { readonly [Name in ListenerName]: ListenerConfig },
  environment: NodeJS.ProcessEnv,
): Promise<Result<Sockets, readonly string[]>> {
  const passed = passedByParent(environment)
  const sockets: net.BoundSocket[] = []
  const bound: BoundListener[] = []
  const problems: string[] = []
  for (const name of LISTENER_NAMES) {
    const config = listeners[name]
    if (!config.enabled) continue
    const fd = passed.get(name)
    if (fd !== undefined) {
      bound.push({ name, fd, address: 'systemd', port: 0, note: 'passed by systemd' })
      continue
    }
    const made = await bindOne(name, config)
    if (made.ok) {
      sockets.push(made.value.socket)
      bound.push(made.value.listener)
    } else problems.push(made.problem)
  }
  const close = (): void => {
    for (const socket of sockets.splice(0)) socket.close()
  }
  if (problems.length === 0) return ok({ bound, close })
  close()
  return fail(problems)
}

async function bindOne(
  name: ListenerName,
  config: ListenerConfig,
): Promise<Result<{ readonly socket: net.BoundSocket; readonly listener: BoundListener }, string>> {
  if ('unixPath' in config.address) return bindPath(name, config.address)
  const { host, port } = config.address
  const first = bind(host, port)
  if (first.ok) return ok({ socket: first.value, listener: describe(name, first.value, null) })
  if (config.fallbackPort === null || first.problem.code !== 'EACCES') return fail(sentence(name, host, port, first.problem))
  const second = bind(host, config.fallbackPort)
  if (!second.ok) return fail(sentence(name, host, config.fallbackPort, second.problem))
  const note = `port ${port} needs root or CAP_NET_BIND_SERVICE; took ${config.fallbackPort}`
  return ok({ socket: second.value, listener: describe(name, second.value, note) })
}

/** What would keep the listeners on UNIX sockets from the next start, as far as can be seen while a Postern runs. */
export function problemsOfPaths(listeners: { readonly [Name in ListenerName]: ListenerConfig }): readonly string[] {
  return LISTENER_NAMES.flatMap(name => {
    const { enabled, address } = listeners[name]
    if (!enabled || !('unixPath' in address)) return []
    const problem = problemOfPlace(address)
    return problem === null ? [] : [cannotListen(name, address, problem)]
  })
}

async function bindPath(name: ListenerName, place: SocketPlace): ReturnType<typeof bindOne> {
  const socket = await bindUnixSocket(place)
  if (!socket.ok) return fail(cannotListen(name, place, socket.problem))
  return ok({ socket: socket.value, listener: { name, fd: socket.value.fd(), address: place.unixPath, port: 0, note: null } })
}

function cannotListen(name: ListenerName, { unixPath }: SocketPlace, problem: string): string {
  return `listeners.${name}: cannot listen on ${unixPath}: ${problem}`
}

/** For people: `192.0.2.1:25`, `[::]:25`, or the path of a socket. */
export function formatBound({ address, port }: BoundListener): string {
  if (port === 0) return address
  return `${address.includes(':') ? `[${address}]` : address}:${port}`
}

function bind(host: string, port: number): Result<net.BoundSocket, NodeJS.ErrnoException> {
  try {
    return ok(new net.BoundSocket({ host: host === 'localhost' ? '127.0.0.1' : host, port }))
  } catch (error) {
    const problem = error as NodeJS.ErrnoException
    // A machine without IPv6 has no [::]; every address of IPv4 is what is meant.
    if (host === '::' && (problem.code === 'EAFNOSUPPORT' || problem.code === 'EADDRNOTAVAIL')) return bind('0.0.0.0', port)
    return fail(problem)
  }
}

function describe(name: ListenerName, socket: net.BoundSocket, note: string | null): BoundListener {
  const { address, port } = socket.address()
  return { name, fd: socket.fd(), address, port, note }
}

function sentence(name: ListenerName, host: string, port: number, problem: NodeJS.ErrnoException): string {
  const where = `listeners.${name}: cannot listen on ${host.includes(':') ? `[${host}]` : host}:${port}`
  switch (problem.code) {
    case 'EADDRINUSE':
      return `${where}: another program has the port; find it with "ss -ltnp 'sport = :${port}'", or set another address in postern.toml`
    case 'EACCES':
      return `${where}: not allowed; ports below 1024 need root, CAP_NET_BIND_SERVICE or a systemd socket`
    case 'EADDRNOTAVAIL':
      return `${where}: this machine has no such address; set one of its own in postern.toml`
    default:
      return `${where}: ${problem.message}`
  }
}

function passedByParent(environment: NodeJS.ProcessEnv): ReadonlyMap<string, number> {
  if (environment['LISTEN_PID'] !== String(process.pid)) return new Map()
  const names = (environment['LISTEN_FDNAMES'] ?? '').split(':')
  const count = Number(environment['LISTEN_FDS'] ?? 0)
  return new Map(names.slice(0, count).map((name, index) => [name, FIRST_PASSED_FD + index]))
}
