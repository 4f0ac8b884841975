/**
 * An identity provider on this host, for tests: an introspection endpoint (RFC 7662) that says what it
 * is told to say, and signed tokens. Written from the RFCs and not from our own source.
 */

import { constants, createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Asked = { readonly authorization: string; readonly form: URLSearchParams }

export type TokenProvider = {
  readonly url: string
  /** Everything that was asked. */
  readonly asked: readonly Asked[]
  readonly stop: () => Promise<void>
}

/** What is answered to a token: an object as JSON with 200, or whatever the function writes itself. */
export type Answer = (token: string) => object | ((answer: ServerResponse) => void)

export async function startTokenProvider(answerTo: Answer, path = '/introspect'): Promise<TokenProvider> {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    void bodyOf(request).then(body => {
      const form = new URLSearchParams(body)
      asked.push({ authorization: request.headers.authorization ?? '', form })
      const answer = answerTo(form.get('token') ?? '')
      if (typeof answer === 'function') answer(response)
      else response.setHeader('content-type', 'application/json').end(JSON.stringify(answer))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    asked,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

export type SigningKey = {
  readonly alg: string
  readonly kid: string
  /** RFC 7517, public. */
  readonly jwk: { readonly [name: string]: unknown }
  /** RFC 7515 §7.1. `header` is put over the usual one. */
  readonly token: (claims: object, header?: object) => string
}

export function signingKey(alg: 'RS256' | 'PS256' | 'ES256' | 'EdDSA', kid: string = alg): SigningKey {
  const { privateKey, publicKey } = keyPair(alg)
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' }
  return { alg, kid, jwk, token: (claims, header = {}) => compact({ alg, kid, typ: 'JWT', ...header }, claims, input => signed(alg, privateKey, input)) }
}

/** What an attacker makes of a public key that he may know as a secret that he may not (RFC 8725 §2.1). */
export function hmacToken(secret: string | Buffer, claims: object, header: object): string {
  return compact({ typ: 'JWT', alg: 'HS256', ...header }, claims, input => createHmac('sha256', secret).update(input).digest())
}

export function compact(header: object, claims: object, signature: (input: Buffer) => Buffer): string {
  const input = [header, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${input}.${signature(Buffer.from(input)).toString('base64url')}`
}

function keyPair(alg: string): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  if (alg === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' })
  if (alg === 'EdDSA') return generateKeyPairSync('ed25519')
  return generateKeyPairSync('rsa', { modulusLength: 2048 })
}

function signed(alg: string, key: KeyObject, input: Buffer): Buffer {
  if (alg === 'EdDSA') return sign(null, input, key)
  if (alg === 'ES256') return sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' })
  return sign('sha256', input, alg === 'PS256' ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : key)
}
