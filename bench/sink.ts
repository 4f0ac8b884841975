/**
 * The next hop of a benchmark: takes mail as fast as it comes and checks that each message arrives once.
 *
 * It must never be what limits the servers under test, so it reads commands by their first letter,
 * answers a packet of pipelined commands in one write, looks at a message only for its token and its
 * end, and stores nothing. A stalled sink takes connections without greeting, which is how a server
 * is made to accept while it cannot deliver.
 */

import { createServer, type AddressInfo, type Socket } from 'node:net'
import {
  monotonicMilliseconds,
  ownCpuSeconds,
  parseToken,
  TOKEN_FIELD,
  TOKEN_LENGTH,
  type SinkAnswer,
  type SinkRequest,
} from './protocol.ts'

const GREETING = '220 sink.bench.test ESMTP\r\n'
const HELLO = '250-sink.bench.test\r\n250-PIPELINING\r\n250-SIZE 104857600\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES\r\n'
const END_OF_HEADER = '\r\n\r\n'
const NO_TOKEN = ''
const END_OF_MESSAGE = Buffer.from('\r\n.\r\n')
const LINE_FEED = 10

/** What one run has brought so far. */
class Run {
  readonly number: number
  readonly messages: number
  readonly #seen: Uint8Array
  readonly #cpuAtStart = process.cpuUsage()
  arrived = 0
  duplicates = 0
  strangers = 0
  lastArrivedAt = 0
  openedAt = monotonicMilliseconds()
  connections = 0

  constructor(number: number, messages: number) {
    this.number = number
    this.messages = messages
    this.#seen = new Uint8Array(messages)
  }

  count(token: string): void {
    const number = token === NO_TOKEN ? null : parseToken(this.number, token)
    if (number === null || number >= this.messages) this.strangers++
    else if (this.#seen[number] === 1) this.duplicates++
    else {
      this.#seen[number] = 1
      this.arrived++
      this.lastArrivedAt = monotonicMilliseconds()
    }
  }

  cpuSeconds(): number {
    return ownCpuSeconds(this.#cpuAtStart)
  }
}

let run = new Run(0, 0)
let stalled = false
const waitingForGreeting = new Set<Socket>()

/** One connection: either reading command lines, or inside a message. */
class Connection {
  readonly #socket: Socket
  #rest: Buffer = Buffer.alloc(0)
  #inMessage = false
  #token: string | null = null

  constructor(socket: Socket) {
    this.#socket = socket
  }

  start(): void {
    const socket = this.#socket
    socket.setNoDelay(true)
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => waitingForGreeting.delete(socket))
    if (stalled) waitingForGreeting.add(socket)
    else socket.write(GREETING, 'latin1')
  }

  #take(bytes: Buffer): void {
    let unread = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    let replies = ''
    for (;;) {
      if (this.#inMessage) {
        const end = unread.indexOf(END_OF_MESSAGE)
        this.#findToken(unread)
        if (end < 0) {
          unread = this.#keepTail(unread)
          break
        }
        unread = unread.subarray(end + END_OF_MESSAGE.length)
        this.#inMessage = false
        run.count(this.#token ?? NO_TOKEN)
        replies += '250 2.0.0 OK\r\n'
      } else {
        const end = unread.indexOf(LINE_FEED)
        if (end < 0) break
        replies += this.#answer(unread[0] ?? 0, unread[1] ?? 0)
        unread = unread.subarray(end + 1)
      }
    }
    this.#rest = unread
    if (replies !== '') this.#socket.write(replies, 'latin1')
  }

  /** Only the header section counts: a bounce quotes the header of what it returns. */
  #findToken(bytes: Buffer): void {
    if (this.#token !== null) return
    const headerEnd = bytes.indexOf(END_OF_HEADER)
    const field = bytes.indexOf(TOKEN_FIELD)
    const start = field + TOKEN_FIELD.length
    const isWhole = field >= 0 && bytes.length >= start + TOKEN_LENGTH
    if (isWhole && (headerEnd < 0 || field < headerEnd)) this.#token = bytes.toString('latin1', start, start + TOKEN_LENGTH)
    else if (headerEnd >= 0) this.#token = NO_TOKEN
  }

  /** Keeps enough to recognise a token or an end of message that the next packet completes. */
  #keepTail(bytes: Buffer): Buffer {
    const tail = this.#token === null ? TOKEN_FIELD.length + TOKEN_LENGTH : END_OF_MESSAGE.length
    return bytes.subarray(Math.max(0, bytes.length - tail))
  }

  #answer(first: number, second: number): string {
    switch (String.fromCharCode(first & 0xdf, second & 0xdf)) {
      case 'EH':
      case 'HE':
        return HELLO
      case 'DA':
        this.#inMessage = true
        this.#token = null
        return '354 Go ahead\r\n'
      case 'QU':
        this.#socket.end('221 2.0.0 Bye\r\n')
        return ''
      case 'MA':
      case 'RC':
      case 'RS':
      case 'NO':
        return '250 2.0.0 OK\r\n'
      default:
        return '502 5.5.1 Not here\r\n'
    }
  }
}

const server = createServer(socket => {
  run.connections++
  new Connection(socket).start()
})

server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  tell({ kind: 'listening', port: (server.address() as AddressInfo).port })
})

process.on('message', (request: SinkRequest) => {
  switch (request.do) {
    case 'expect':
      run = new Run(request.run, request.messages)
      stalled = request.stalled
      return tell({ kind: 'expecting' })
    case 'open':
      stalled = false
      run.openedAt = monotonicMilliseconds()
      for (const socket of waitingForGreeting) socket.write(GREETING, 'latin1')
      waitingForGreeting.clear()
      return
    case 'report':
      return tell({
        kind: 'sinkReport',
        arrived: run.arrived,
        duplicates: run.duplicates,
        strangers: run.strangers,
        lastArrivedAt: run.lastArrivedAt,
        openedAt: run.openedAt,
        connections: run.connections,
        cpuSeconds: run.cpuSeconds(),
      })
  }
})
process.on('disconnect', () => process.exit())

function tell(answer: SinkAnswer): void {
  process.send?.(answer)
}
