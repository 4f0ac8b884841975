/** The client's half of SASL over SMTP, written from the RFCs and not from our own source. */

import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { showing, type Listener, type Postern } from './postern.ts'
import { SmtpClient, type SmtpReply } from './smtp-client.ts'

export function base64(text: string | Uint8Array): string {
  return Buffer.from(text as string).toString('base64')
}

/** Within TLS, without a certificate, after EHLO: where a login begins. */
export async function connectToLogIn(postern: Postern, listener: Listener = 'submissions'): Promise<SmtpClient> {
  const tls = showing(postern, null)
  const client = await SmtpClient.connect(postern.ports[listener], listener === 'submissions' ? tls : undefined)
  await client.greet()
  if (listener !== 'submissions') {
    await client.startTls(tls)
    await client.command('EHLO laptop.example.test')
  }
  return client
}

/** RFC 4616, with an initial response. */
export function authPlain(client: SmtpClient, user: string, password: string, wanted = ''): Promise<SmtpReply> {
  return client.command(`AUTH PLAIN ${base64(`${wanted}\0${user}\0${password}`)}`)
}

/** The prompts are not looked at, as old programs do not. */
export async function authLogin(client: SmtpClient, user: string, password: string): Promise<SmtpReply> {
  await client.command('AUTH LOGIN')
  const next = await client.command(base64(user))
  return next.code === 334 ? client.command(base64(password)) : next
}

export type ScramOptions = {
  readonly mechanism: string
  /** RFC 5802 §7: `n`, `y` or `p=tls-exporter`. */
  readonly flag: string
  readonly binding?: Uint8Array
  readonly wanted?: string
  /** Changes what is sent in the final message. */
  readonly tamper?: (final: string) => string
}

export type ScramResult = {
  readonly reply: SmtpReply
  /** The server's first message, or ''. */
  readonly serverFirst: string
  /** Whether the server has proved that it knows the password, too. */
  readonly serverIsRight: boolean
}

/** RFC 5802 §3 and §5. */
export async function authScram(client: SmtpClient, user: string, password: string, options: ScramOptions): Promise<ScramResult> {
  const { mechanism, flag, binding = new Uint8Array(), wanted = '', tamper = (final: string) => final } = options
  const [hash, octets] = mechanism.includes('SHA-256') ? ['sha256', 32] : ['sha1', 20]
  const header = `${flag},${wanted === '' ? '' : `a=${wanted}`},`
  const bare = `n=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${randomBytes(18).toString('base64')}`
  const first = await client.command(`AUTH ${mechanism} ${base64(header + bare)}`)
  if (first.code !== 334) return { reply: first, serverFirst: '', serverIsRight: false }
  const serverFirst = Buffer.from(first.text, 'base64').toString()
  const [, nonce = '', salt = '', iterations = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst) ?? []
  const withoutProof = `c=${base64(Buffer.concat([Buffer.from(header), binding]))},r=${nonce}`
  const authMessage = `${bare},${serverFirst},${withoutProof}`
  const hmac = (key: Uint8Array, text: string): Buffer => createHmac(hash, key).update(text).digest()
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), octets, hash)
  const clientKey = hmac(salted, 'Client Key')
  const signature = hmac(createHash(hash).update(clientKey).digest(), authMessage)
  const proof = clientKey.map((octet, at) => octet ^ (signature[at] ?? 0))
  const final = await client.command(base64(tamper(`${withoutProof},p=${base64(proof)}`)))
  if (final.code !== 334) return { reply: final, serverFirst, serverIsRight: false }
  const expected = `v=${base64(hmac(hmac(salted, 'Server Key'), authMessage))}`
  return { reply: await client.command(''), serverFirst, serverIsRight: Buffer.from(final.text, 'base64').toString() === expected }
}

/** RFC 9266 §2. */
export function tlsExporter(client: SmtpClient): Uint8Array {
  return client.secure.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
}

/** RFC 7628 §3.1, with an initial response; the error challenge of a failure is answered as §3.2.3 wants it. */
export async function authBearer(client: SmtpClient, token: string, user = ''): Promise<BearerResult> {
  const authzid = user === '' ? '' : `a=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')}`
  return bearerExchange(client, `OAUTHBEARER ${base64(`n,${authzid},\x01host=localhost\x01port=465\x01auth=Bearer ${token}\x01\x01`)}`, base64('\x01'))
}

/** As Google documents it: the error is answered with nothing. */
export async function authXoauth2(client: SmtpClient, token: string, user: string): Promise<BearerResult> {
  return bearerExchange(client, `XOAUTH2 ${base64(`user=${user}\x01auth=Bearer ${token}\x01\x01`)}`, '')
}

export type BearerResult = {
  readonly reply: SmtpReply
  /** What the server said is wrong, or null. */
  readonly error: unknown
}

async function bearerExchange(client: SmtpClient, login: string, dummy: string): Promise<BearerResult> {
  const reply = await client.command(`AUTH ${login}`)
  if (reply.code !== 334) return { reply, error: null }
  return { error: JSON.parse(Buffer.from(reply.text, 'base64').toString()), reply: await client.command(dummy) }
}
