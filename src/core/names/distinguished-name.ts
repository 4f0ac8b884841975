/**
 * Distinguished Names in the form that access maps use, exactly as sendmail writes them:
 * `/C=US/O=Example+20Org/CN=Joe+20User`.
 *
 * Two steps. The one-line form puts the attributes in certificate order behind `/` (or `+` inside one
 * RDN), writes bytes that don't print as `\xHH` and sets a backslash before `/` and `+` in a value.
 * Then every byte that would trouble a configuration file becomes `+HH`.
 *
 * This form is not one-to-one, and access rights hang on it (S7). A backslash of the value itself is
 * not doubled, so `O="a\", CN=b` and `O="a/CN=b"` look the same; the character set is not shown, so
 * two texts can have the same bytes; UID and uid are two types in one key; names over 255 bytes lose their end; a name whose first attribute
 * is too long, or that has none, is empty. Such names are marked `isAmbiguous`, and no rule may match
 * them. All others have a form that no other name has, but for case, which access maps ignore.
 */

import { isTwinOfAnother, shortName } from './attribute-types.ts'
import { TAG, formatOid, latin1 } from './der-reader.ts'
import type { DerReader } from './der-reader.ts'

/** The attributes in certificate order. */
export type DistinguishedName = readonly NameAttribute[]

export type NameAttribute = {
  /** Object identifier, dotted. */
  readonly type: string
  /** The bytes of the value, in whatever character set its string type has. */
  readonly value: Uint8Array
  /** False if a string type that is likelier would make another text of the same bytes. */
  readonly isPlainText: boolean
  /** False for the second and later attributes of a multi-valued RDN. */
  readonly startsRdn: boolean
}

export type AccessMapName = {
  readonly text: string
  /** True if another name can have this same text. Nothing may be granted to it. */
  readonly isAmbiguous: boolean
}

/** `older` is what OpenSSL before 3.0 wrote; access maps of those days hold it. */
export type Spelling = 'current' | 'older'

/** What sendmail's buffer holds of the one-line form. */
export const LONGEST_NAME = 255
export const LONGEST_COMMON_NAME = 254
/** What OpenSSL's buffer holds of an attribute type that has no short name. */
const LONGEST_DOTTED_TYPE = 79

const BACKSLASH = 0x5c
const COMMON_NAME = '2.5.4.3'

/** A whole name in access-map form. */
export function accessMapName(name: DistinguishedName, spelling: Spelling = 'current'): AccessMapName {
  let text = ''
  let isAmbiguous = name.length === 0
  for (const attribute of name) {
    const part = oneLine(attribute, spelling)
    // The attribute that does not fit and all behind it are left out, as sendmail does.
    if (text.length + part.length > LONGEST_NAME) {
      isAmbiguous = true
      break
    }
    text += part
    isAmbiguous ||= hasSharedForm(attribute, spelling)
  }
  return { text: text.replace(ENCODED, encodeCharacter), isAmbiguous }
}

/** The older form of a name, where it differs and can stand for no other name; else null. */
export function olderAccessMapName(name: DistinguishedName): string | null {
  if (!name.some(({ value, startsRdn }) => !startsRdn || SEPARATOR.test(latin1(value)))) return null
  const { text, isAmbiguous } = accessMapName(name, 'older')
  return isAmbiguous ? null : text
}

/** The first common name in access-map form, or sendmail's word for why there is none. */
export function accessMapCommonName(name: DistinguishedName): string {
  const value = name.find(attribute => attribute.type === COMMON_NAME)?.value
  if (value === undefined) return 'BadCertificateUnknown'
  if (value.length > LONGEST_COMMON_NAME) return 'BadCertificateTooLong'
  if (value.includes(0)) return 'BadCertificateContainsNUL'
  return latin1(value).replace(ENCODED, encodeCharacter)
}

/** Reads a Name (RFC 5280 §4.1.2.4). Problems stay with the reader. */
export function readName(reader: DerReader, what: string): DistinguishedName {
  const attributes: NameAttribute[] = []
  const rdns = reader.enter(TAG.sequence, what)
  while (rdns.hasMore) {
    const rdn = rdns.enter(TAG.set, `${what}: RDN`)
    // RFC 5280 §4.1.2.4: SET SIZE (1..MAX).
    if (!rdn.hasMore) rdn.refuse(`${what} has an RDN without attributes`)
    for (let startsRdn = true; rdn.hasMore; startsRdn = false) {
      const attribute = rdn.enter(TAG.sequence, `${what}: attribute`)
      const type = formatOid(attribute.take(TAG.oid, `${what}: attribute type`))
      if (!type.ok) return refused(reader, `${what}: ${type.problem}`)
      const value = readValue(attribute, what)
      attribute.finish(`${what}: attribute`)
      attributes.push({ type: type.value, ...value, startsRdn })
    }
  }
  return reader.problem === null ? attributes : []
}

function oneLine({ type, value, startsRdn }: NameAttribute, spelling: Spelling): string {
  const separator = startsRdn || spelling === 'older' ? '/' : '+'
  const typeName = shortName(type) ?? type.slice(0, LONGEST_DOTTED_TYPE)
  const printable = latin1(value).replace(NOT_PRINTABLE, escapeByte)
  return `${separator}${typeName}=${spelling === 'older' ? printable : printable.replace(/[/+]/g, '\\$&')}`
}

/** Whether some other attribute, or several, could be written the same way. */
function hasSharedForm({ type, value, isPlainText, startsRdn }: NameAttribute, spelling: Spelling): boolean {
  if (!isPlainText || value.includes(BACKSLASH) || isTwinOfAnother(type)) return true
  if (shortName(type) === null && type.length > LONGEST_DOTTED_TYPE) return true
  // The older form neither tells RDNs apart nor marks a separator in a value. One that no attribute type
  // follows can be nothing but a part of the value; any other may be read as a separator in one form.
  return spelling === 'older' && (!startsRdn || READS_AS_ATTRIBUTE.test(latin1(value)))
}

/** For any bytes, at most one reading is plain text: ASCII, else UTF-8, else Teletex. */
function readValue(attribute: DerReader, what: string): Pick<NameAttribute, 'value' | 'isPlainText'> {
  const tag = attribute.nextTag ?? 0
  const value = attribute.take(tag, `${what}: attribute value`)
  switch (tag) {
    case TAG.utf8String:
      if (!isUtf8(value)) attribute.refuse(`${what} has a UTF8String that is not UTF-8`)
      return { value, isPlainText: true }
    case TAG.numericString:
    case TAG.printableString:
    case TAG.ia5String:
      return { value, isPlainText: isAscii(value) }
    case TAG.teletexString:
      return { value, isPlainText: isAscii(value) || !isUtf8(value) }
    case TAG.bmpString:
    case TAG.universalString:
      if (value.length % (tag === TAG.bmpString ? 2 : 4) !== 0) attribute.refuse(`${what} has half a character`)
      return { value, isPlainText: false }
    case TAG.bitString:
      // The first byte counts unused bits, which the form would not show.
      if (value[0] !== 0) attribute.refuse(`${what} has a bit string of a broken number of bytes`)
      return { value: value.subarray(1), isPlainText: false }
    default:
      attribute.refuse(`${what} has a value that is no string of a name`)
      return { value, isPlainText: false }
  }
}

function refused(reader: DerReader, problem: string): DistinguishedName {
  reader.refuse(problem)
  return []
}

function isAscii(bytes: Uint8Array): boolean {
  return bytes.every(byte => byte < 0x80)
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

function escapeByte(character: string): string {
  return `\\x${hexByte(character)}`
}

function encodeCharacter(character: string): string {
  return `+${hexByte(character)}`
}

function hexByte(character: string): string {
  return character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')
}

const SEPARATOR = /[/+]/
const READS_AS_ATTRIBUTE = /[/+][A-Za-z0-9.-]*=/
const NOT_PRINTABLE = /[^\x20-\x7e]/g

/** sendmail's set: what is not printable, the space, and the characters its configuration gives a meaning. */
const ENCODED = /[^\x21-\x7e]|[+\\()<>"]/g
