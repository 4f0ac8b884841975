/**
 * The fields of a header section (RFC 5322 §2.2), as they stand in its octets.
 *
 * Meant for a section that HeaderScanner has found to hold fields and nothing else. Every submitted
 * message comes through here, so a field is only where it stands; what it says is read when asked.
 */

export type HeaderField = {
  /** In lower case, without the blanks that may stand before the colon (RFC 5322 §4.5.8). */
  readonly name: string
  /** Where its name begins, the text behind the colon begins, and the CRLF of its last line has ended. */
  readonly start: number
  readonly textAt: number
  readonly end: number
}

export function splitFields(section: Buffer): readonly HeaderField[] {
  const text = section.toString('latin1')
  const fields: HeaderField[] = []
  for (let start = 0; start < text.length; ) {
    const end = endOfField(text, start)
    const colon = text.indexOf(':', start)
    fields.push({ name: text.slice(start, colon).trimEnd().toLowerCase(), start, textAt: colon + 1, end })
    start = end
  }
  return fields
}

/** What a field says, unfolded (RFC 5322 §2.2.3). Octets that are no UTF-8 come out as U+FFFD. */
export function fieldText(section: Buffer, { textAt, end }: HeaderField): string {
  return section.toString('utf8', textAt, end).replaceAll('\r\n', '')
}

/** These fields, as they stand in their section. */
export function joinFields(section: Buffer, fields: readonly HeaderField[]): Buffer {
  return Buffer.concat(fields.map(({ start, end }) => section.subarray(start, end)))
}

/** A line that begins with a blank continues the one before. */
function endOfField(text: string, start: number): number {
  let at = start
  for (;;) {
    const lineEnd = text.indexOf('\n', at)
    if (lineEnd === -1) return text.length
    at = lineEnd + 1
    const next = text.charCodeAt(at)
    if (next !== SPACE && next !== TAB) return at
  }
}

const TAB = 9
const SPACE = 32
