/**
 * Values of TLS_Srv_Features: `Options=SSL_OP_NO_TLSv1_3; CipherList=ECDHE+AESGCM`.
 *
 * A key or value that cannot be read breaks TLS for that client, as in sendmail, rather than to leave
 * it with less than was asked for. Options only take away; none weakens what everybody gets.
 */

import { fail, ok } from '../result.ts'
import type { Result } from '../result.ts'

export type TlsSettings = {
  /** OpenSSL's own names, among those below. */
  readonly options: readonly string[]
  /** For TLS 1.2, as OpenSSL writes lists of ciphers; null for the usual. */
  readonly cipherList: string | null
  /** For TLS 1.3, by name; null for the usual. */
  readonly cipherSuites: readonly string[] | null
}

/** Keys of sendmail's that mean nothing here, with what to do instead. */
export const KEYS_WITHOUT_MEANING: ReadonlyMap<string, string> = new Map([
  ['certfile', 'tls.certificate is shown to every client'],
  ['keyfile', 'tls.key is the key for every client'],
  ['flags', 'revocation is the index of our own CA, for every client'],
])

export function parseTlsSettings(value: string): Result<TlsSettings, string> {
  let settings: TlsSettings = { options: [], cipherList: null, cipherSuites: null }
  for (const part of value.replaceAll('"', '').split(';')) {
    if (part.trim() === '') continue
    const [, key = '', text = ''] = /^\s*([a-z]+)\s*=\s*(\S+)\s*$/i.exec(part) ?? []
    const next = withPart(settings, key.toLowerCase(), text)
    if (next === null) return fail(part.trim())
    settings = next
  }
  return ok(settings)
}

function withPart(settings: TlsSettings, key: string, text: string): TlsSettings | null {
  switch (key) {
    case 'options': {
      const options = text.split(/[+,|]/).map(name => `SSL_OP_${name.toUpperCase().replace(/^SSL_OP_/, '')}`)
      return options.every(name => OPTIONS.has(name.toUpperCase())) ? { ...settings, options: options.map(name => OPTIONS.get(name) ?? name) } : null
    }
    case 'cipherlist':
      return CIPHER_LIST.test(text) ? { ...settings, cipherList: text } : null
    case 'ciphersuites': {
      const suites = text.split(':')
      return suites.every(suite => SUITES.has(suite)) ? { ...settings, cipherSuites: suites } : null
    }
    default:
      return KEYS_WITHOUT_MEANING.has(key) ? settings : null
  }
}

const CIPHER_LIST = /^[A-Za-z0-9@=!+:_-]{1,512}$/

/** By their names in upper case. */
const OPTIONS: ReadonlyMap<string, string> = new Map(
  ['SSL_OP_NO_SSLv2', 'SSL_OP_NO_SSLv3', 'SSL_OP_NO_TLSv1', 'SSL_OP_NO_TLSv1_1', 'SSL_OP_NO_TLSv1_2', 'SSL_OP_NO_TLSv1_3', 'SSL_OP_NO_TICKET', 'SSL_OP_NO_COMPRESSION', 'SSL_OP_NO_RENEGOTIATION', 'SSL_OP_CIPHER_SERVER_PREFERENCE', 'SSL_OP_PRIORITIZE_CHACHA'].map(name => [name.toUpperCase(), name]),
)

const SUITES: ReadonlySet<string> = new Set([
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_128_CCM_SHA256',
])
