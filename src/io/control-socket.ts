/**
 * The way of the command line to a running Postern: a UNIX socket in the data directory.
 *
 * Whoever has the key beside it may administer the relay. Folder, socket and key are for the owner only
 * (S24). The socket alone would not do: where Postern was not started as root, its workers are the same
 * account, and Node lets whoever may use the network connect to any socket; files outside their spool
 * they cannot read. A line in, the key and one JSON object, and one JSON object out.
 */

import { randomBytes, timingSafeEqual } from 'node:crypto'
import { chmodSync, closeSync, constants, lstatSync, openSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'

const LONGEST_REQUEST = 1024 * 1024
/** sun_path of Linux, less the closing zero. */
const LONGEST_SOCKET_PATH = 107
const NAME = 'control.sock'
const KEY_NAME = 'control.key'
const KEY_OCTETS = 32

export type ControlServer = { close(): void }

/** Opens the socket. Rejects with a sentence if it cannot be had. */
export async function openControlSocket(
  directory: string,
  handle: (request: unknown) => Promise<unknown>,
): Promise<ControlServer> {
  removeStale(path.join(directory, NAME))
  const key = makeKey(directory)
  const server = net.createServer(socket => serve(socket, key, handle))
  const address = reachable(directory)
  const mask = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(address.path, resolve)
    })
  } finally {
    process.umask(mask)
    address.release()
  }
  chmodSync(path.join(directory, NAME), 0o600)
  return {
    close: () => {
      server.close()
      removeStale(path.join(directory, NAME))
      rmSync(path.join(directory, KEY_NAME), { force: true })
    },
  }
}

/** A new one for each start; the file is made anew, so that nobody has it open. */
function makeKey(directory: string): Buffer {
  const file = path.join(directory, KEY_NAME)
  const key = randomBytes(KEY_OCTETS)
  rmSync(file, { force: true })
  writeFileSync(file, key.toString('hex'), { mode: 0o600, flag: 'wx' })
  return key
}

/** Null if no Postern runs that could have made it. Throws if it is there and cannot be read. */
function readKey(directory: string): string | null {
  try {
    return readFileSync(path.join(directory, KEY_NAME), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Sends one request. Resolves null if no Postern listens there. */
export async function askControlSocket(directory: string, request: unknown): Promise<unknown> {
  const key = readKey(directory)
  if (key === null) return null
  const address = reachable(directory)
  const socket = net.connect(address.path)
  try {
    return await new Promise((resolve, reject) => {
      let text = ''
      socket.setEncoding('utf8')
      socket.on('connect', () => socket.write(`${key} ${JSON.stringify(request)}\n`))
      socket.on('data', chunk => {
        text += chunk
      })
      socket.on('end', () => (text === '' ? resolve(null) : resolve(JSON.parse(text))))
      socket.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(null)
        else reject(Object.assign(error, { path: path.join(directory, NAME) }))
      })
    })
  } finally {
    socket.destroy()
    address.release()
  }
}

function serve(socket: net.Socket, key: Buffer, handle: (request: unknown) => Promise<unknown>): void {
  let text = ''
  let answered = false
  socket.setEncoding('utf8')
  socket.on('error', () => socket.destroy())
  socket.on('data', async (chunk: string) => {
    if (answered) return
    text += chunk
    const end = text.indexOf('\n')
    if (end < 0) {
      if (text.length > LONGEST_REQUEST) socket.destroy()
      return
    }
    answered = true
    socket.end(`${JSON.stringify(await answer(text.slice(0, end), key, handle))}\n`)
  })
}

async function answer(line: string, key: Buffer, handle: (request: unknown) => Promise<unknown>): Promise<unknown> {
  try {
    const [given = ''] = line.split(' ', 1)
    const octets = Buffer.from(given, 'hex')
    if (octets.length !== key.length || !timingSafeEqual(octets, key)) return { ok: false, problem: `the key in ${KEY_NAME} is wanted before the request` }
    return await handle(JSON.parse(line.slice(given.length)))
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error) }
  }
}

/** A socket file without a listener is what a crash leaves behind. */
function removeStale(file: string): void {
  const found = lstatSync(file, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) throw new Error(`${file} is in the way: it is not a socket; move it elsewhere`)
  unlinkSync(file)
}

/** A path that fits a socket address, however deep the data directory lies. */
function reachable(directory: string): { readonly path: string; release(): void } {
  const direct = path.join(path.resolve(directory), NAME)
  if (Buffer.byteLength(direct) <= LONGEST_SOCKET_PATH || process.platform !== 'linux') {
    return { path: direct, release: () => {} }
  }
  const folder = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  return { path: `/proc/self/fd/${folder}/${NAME}`, release: () => closeSync(folder) }
}
