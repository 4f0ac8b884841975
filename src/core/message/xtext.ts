/** xtext (RFC 3461 §4): how a parameter of MAIL or RCPT holds what could not stand there itself. */

/** The text it stands for, read as UTF-8. Null if that is none, or holds a control character. */
export function decodeXtext(xtext: string): string | null {
  const octets = xtext.replaceAll(/\+([0-9A-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
  const text = decodeUtf8(octets)
  return text === null || CONTROL.test(text) ? null : text
}

/** For text without control characters. */
export function encodeXtext(text: string): string {
  const octets = Buffer.from(text, 'utf8').toString('latin1')
  return octets.replaceAll(/[^!-*,-<>-~]/g, octet => `+${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}

function decodeUtf8(octets: string): string | null {
  try {
    return UTF8.decode(Buffer.from(octets, 'latin1'))
  } catch {
    return null
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const CONTROL = /[\p{Cc}\u2028\u2029]/u
