/**
 * Values of TLS_Clt_Features: `Options=SSL_OP_NO_TLSv1_3; CipherList=HIGH; Flags=C`.
 *
 * sendmail gives up TLS for a value that it cannot read (`${verify}` is CONFIG, and nothing is sent), so
 * every problem here is one sentence for the administrator.
 */

import { fail, ok, type Result } from '../result.ts'

export type ClientTlsSession = {
  /** Names of OpenSSL's options that are to be set. */
  readonly options: readonly string[]
  /** OpenSSL's lists, for TLS 1.2 and for TLS 1.3; null: the usual ones. */
  readonly cipherList: string | null
  readonly cipherSuites: string | null
  readonly certificate: { readonly certificateFile: string; readonly keyFile: string } | null
  /** Go on in clear after a failed handshake? Null: as the settings say. */
  readonly fallsBack: boolean | null
}

export function parseClientTlsSession(value: string): Result<ClientTlsSession, string> {
  const found = new Map<string, string>()
  for (const part of value.replaceAll('"', '').split(';')) {
    if (part.trim() === '') continue
    const [, key = '', text = ''] = PAIR.exec(part) ?? []
    const word = key.toLowerCase()
    if (!KEYS.has(word)) return fail(`"${part.trim()}" is none of Options=, CipherList=, CipherSuites=, CertFile=, KeyFile=, Flags=`)
    if (text === '') return fail(`there is nothing behind ${key}=`)
    if (found.has(word)) return fail(`${key}= stands there twice`)
    found.set(word, text)
  }
  const certificateFile = found.get('certfile')
  const keyFile = found.get('keyfile')
  if ((certificateFile === undefined) !== (keyFile === undefined)) return fail('CertFile= and KeyFile= belong together')
  const options = parseOptions(found.get('options') ?? '')
  if (!options.ok) return options
  const fallsBack = parseFlags(found.get('flags') ?? '')
  if (!fallsBack.ok) return fallsBack
  return ok({
    options: options.value,
    cipherList: found.get('cipherlist') ?? null,
    cipherSuites: found.get('ciphersuites') ?? null,
    certificate: certificateFile === undefined || keyFile === undefined ? null : { certificateFile, keyFile },
    fallsBack: fallsBack.value,
  })
}

/** `+` or nothing sets an option; `-` clears one, and Postern sets none that a line could clear. */
function parseOptions(text: string): Result<readonly string[], string> {
  const words = text.split(/[\s,]+/).filter(word => word !== '')
  const wrong = words.find(word => !OPTION.test(word))
  if (wrong !== undefined) return fail(`"${wrong}" is no name of an OpenSSL option`)
  return ok(words.filter(word => !word.startsWith('-')).map(word => word.replace('+', '')))
}

function parseFlags(letters: string): Result<boolean | null, string> {
  let fallsBack: boolean | null = null
  for (const letter of letters.replaceAll(/[\s,]/g, '')) {
    if (letter === 'c' || letter === 'C') fallsBack = letter === 'c'
    else if (letter === 'R') return fail('the flag R wants revocation lists, and Postern reads none of other authorities')
    // d: no DANE. Postern uses none.
    else if (letter !== 'd') return fail(`"${letter}" is none of the flags c, C and d`)
  }
  return ok(fallsBack)
}

const PAIR = /^\s*([a-z]+)\s*=\s*(.*?)\s*$/i
const KEYS: ReadonlySet<string> = new Set(['options', 'cipherlist', 'ciphersuites', 'certfile', 'keyfile', 'flags'])
const OPTION = /^[+-]?SSL_OP_\w+$/
