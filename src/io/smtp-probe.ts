/**
 * What an SMTP server really does: asked step by step, and written down.
 *
 * Nothing is assumed of the server. What it does wrong becomes part of the report; only a connection
 * that cannot go on ends the probe, and then the report says how far it came.
 */

import net from 'node:net'
import tls from 'node:tls'
import type { Reply } from '../core/smtp/reply.ts'
import { ReplyParser } from '../core/smtp/reply-parser.ts'
import { socketErrorInWords } from './socket-errors.ts'

export type ProbeRequest = {
  readonly host: string
  readonly port: number
  readonly implicitTls: boolean
  readonly helloName: string
  /** PEM of the CAs that may have signed the server's certificate. */
  readonly trustedPem: readonly string[]
  readonly clientCertificate: ClientCertificate | null
  /** What to ask after EHLO: a transaction that is reset, or carried out with `message`. */
  readonly transaction: { readonly reversePath: string; readonly forwardPath: string | null; readonly message: string | null } | null
  readonly timeoutSeconds: number
}

export type ClientCertificate =
  | { readonly certificatePem: string; readonly keyPem: string }
  | { readonly pkcs12: Uint8Array; readonly password: string }

export type ProbeReport = {
  readonly address: string | null
  readonly greeting: Reply | null
  /** Null where TLS came first. */
  readonly extensionsBeforeTls: readonly string[] | null
  readonly tls: TlsReport | null
  readonly extensionsAfterTls: readonly string[] | null
  readonly mail: Reply | null
  readonly rcpt: Reply | null
  readonly sent: Reply | null
  /** Why the probe ended early, or null. */
  readonly ended: string | null
}

export type TlsReport = {
  readonly version: string
  readonly cipher: string
  readonly keyExchange: string
  /** Why the certificate is not to be trusted for this name, or null. */
  readonly problem: string | null
  /** Leaf first. */
  readonly chain: readonly { readonly subject: string; readonly issuer: string; readonly notAfter: string }[]
}

type Draft = { -readonly [Key in keyof ProbeReport]: ProbeReport[Key] }

export async function probe(request: ProbeRequest): Promise<ProbeReport> {
  const report: Draft = {
    address: null,
    greeting: null,
    extensionsBeforeTls: null,
    tls: null,
    extensionsAfterTls: null,
    mail: null,
    rcpt: null,
    sent: null,
    ended: null,
  }
  let connection: ProbeConnection | null = null
  try {
    connection = await ProbeConnection.open(request)
    report.address = connection.address
    await converse(connection, request, report)
  } catch (error) {
    report.ended = socketErrorInWords(error)
  } finally {
    connection?.close()
  }
  return report
}

async function converse(connection: ProbeConnection, request: ProbeRequest, report: Draft): Promise<void> {
  const hello = `EHLO ${request.helloName}`
  if (request.implicitTls) report.tls = await connection.startTls(request)
  report.greeting = await connection.reply()
  if (!request.implicitTls) {
    report.extensionsBeforeTls = extensionsOf(await connection.ask(hello))
    if (report.extensionsBeforeTls.includes('STARTTLS')) {
      const ready = await connection.ask('STARTTLS')
      if (ready.code !== 220) throw new Error(`STARTTLS was offered and then refused: ${ready.code} ${ready.lines.join(' ')}`)
      report.tls = await connection.startTls(request)
    }
  }
  if (report.tls !== null) report.extensionsAfterTls = extensionsOf(await connection.ask(hello))
  if (request.transaction !== null) await transact(connection, request.transaction, report)
  await connection.ask('QUIT')
}

async function transact(connection: ProbeConnection, transaction: NonNullable<ProbeRequest['transaction']>, report: Draft): Promise<void> {
  const { reversePath, forwardPath, message } = transaction
  report.mail = await connection.ask(`MAIL FROM:<${reversePath}>`)
  if (report.mail.code !== 250 || forwardPath === null) return
  report.rcpt = await connection.ask(`RCPT TO:<${forwardPath}>`)
  if (message === null || report.rcpt.code >= 300) {
    await connection.ask('RSET')
    return
  }
  const ready = await connection.ask('DATA')
  report.sent = ready.code === 354 ? await connection.ask(`${message.replaceAll(/^\./gm, '..')}.`) : ready
}

function extensionsOf(hello: Reply): readonly string[] {
  return hello.code === 250 ? hello.lines.slice(1) : []
}

class ProbeConnection {
  #socket: net.Socket
  #parser = new ReplyParser()
  #lost: string | null = null
  #wake: () => void = () => {}
  readonly #timeoutSeconds: number
  readonly address: string

  private constructor(socket: net.Socket, timeoutSeconds: number) {
    this.#socket = socket
    this.#timeoutSeconds = timeoutSeconds
    this.address = `${socket.remoteAddress}`
    this.#listen()
  }

  static open({ host, port, timeoutSeconds }: ProbeRequest): Promise<ProbeConnection> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ host, port })
      socket.setTimeout(timeoutSeconds * 1000, () => socket.destroy(new Error(`no answer within ${timeoutSeconds} s`)))
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new ProbeConnection(socket, timeoutSeconds))
      })
    })
  }

  async ask(command: string): Promise<Reply> {
    this.#socket.write(`${command}\r\n`)
    return this.reply()
  }

  async reply(): Promise<Reply> {
    for (;;) {
      const result = this.#parser.take()
      if (result?.ok) return result.value
      if (result !== null) throw new Error(`the server sent ${result.problem.detail}`)
      if (this.#lost !== null) throw new Error(this.#lost)
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  startTls(request: ProbeRequest): Promise<TlsReport> {
    if (this.#parser.hasUnread()) return Promise.reject(new Error('the server sent bytes in clear behind its answer to STARTTLS'))
    const plain = this.#socket
    plain.removeAllListeners('data')
    plain.removeAllListeners('close')
    this.#parser = new ReplyParser()
    return new Promise((resolve, reject) => {
      const secured = tls.connect({ socket: plain, ...tlsOptions(request) })
      const failed = (): void => reject(new Error(this.#lost ?? 'the server closed the connection during the TLS handshake'))
      secured.once('close', failed)
      secured.once('error', error => reject(new Error(`the TLS handshake failed: ${socketErrorInWords(error)}`)))
      secured.once('secureConnect', () => {
        secured.off('close', failed)
        this.#socket = secured
        this.#listen()
        resolve(describe(secured, request.host))
      })
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #listen(): void {
    const socket = this.#socket
    const end = (why: string): void => {
      this.#lost ??= why
      this.#wake()
    }
    socket.setTimeout(this.#timeoutSeconds * 1000, () => end(`no answer within ${this.#timeoutSeconds} s`))
    socket.on('error', error => end(socketErrorInWords(error)))
    socket.on('close', () => end('the server closed the connection'))
    socket.on('data', (bytes: Buffer) => {
      this.#parser.feed(bytes)
      this.#wake()
    })
  }
}

/** The certificate is judged after the handshake, so that the report has it also where it is bad. */
function tlsOptions({ host, trustedPem, clientCertificate }: ProbeRequest): tls.ConnectionOptions {
  const certificate =
    clientCertificate === null
      ? {}
      : 'pkcs12' in clientCertificate
        ? { pfx: Buffer.from(clientCertificate.pkcs12), passphrase: clientCertificate.password }
        : { cert: clientCertificate.certificatePem, key: clientCertificate.keyPem }
  return {
    ca: [...trustedPem],
    rejectUnauthorized: false,
    minVersion: 'TLSv1',
    ...(net.isIP(host) === 0 ? { servername: host } : {}),
    ...certificate,
  }
}

function describe(socket: tls.TLSSocket, host: string): TlsReport {
  const exchange = socket.getEphemeralKeyInfo()
  const leaf = socket.getPeerX509Certificate()
  const chain = []
  for (let certificate = leaf, depth = 0; certificate !== undefined && depth < 10; depth++) {
    chain.push({
      subject: oneLine(certificate.subject),
      issuer: oneLine(certificate.issuer),
      notAfter: certificate.validToDate.toISOString(),
    })
    const next: typeof certificate | undefined = certificate.issuerCertificate
    certificate = next?.fingerprint256 === certificate.fingerprint256 ? undefined : next
  }
  const matches = leaf !== undefined && (net.isIP(host) === 0 ? leaf.checkHost(host) : leaf.checkIP(host)) !== undefined
  const nameProblem = matches ? null : `the certificate is not for ${host}`
  return {
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    keyExchange: exchange !== null && 'name' in exchange && exchange.name !== undefined ? exchange.name : 'unknown',
    problem: socket.authorized ? nameProblem : String(socket.authorizationError),
    chain,
  }
}

function oneLine(name: string): string {
  return name.replaceAll('\n', ', ')
}
