/**
 * The fields of a header section (RFC 5322 §2.2), as they stand in its octets.
 *
 * Meant for a section that HeaderScanner has found to hold fields and nothing else.
 */

export type HeaderField = {
  /** In lower case, without the blanks that may stand before the colon (RFC 5322 §4.5.8). */
  readonly name: string
  /** All of it, from its name to the CRLF of its last line. */
  readonly octets: Buffer
  /** Where in `octets` the text behind the colon begins. */
  readonly textAt: number
}

export function splitFields(section: Buffer): readonly HeaderField[] {
  const fields: HeaderField[] = []
  let start = 0
  while (start < section.length) {
    const end = endOfField(section, start)
    const octets = section.subarray(start, end)
    const colon = octets.indexOf(COLON)
    fields.push({ name: octets.toString('latin1', 0, colon).trimEnd().toLowerCase(), octets, textAt: colon + 1 })
    start = end
  }
  return fields
}

/** What a field says, unfolded (RFC 5322 §2.2.3). Octets that are no UTF-8 come out as U+FFFD. */
export function fieldText({ octets, textAt }: HeaderField): string {
  return octets.toString('utf8', textAt).replaceAll('\r\n', '')
}

/** A line that begins with a blank continues the one before. */
function endOfField(section: Buffer, start: number): number {
  let at = start
  for (;;) {
    const lineEnd = section.indexOf(LF, at)
    if (lineEnd === -1) return section.length
    at = lineEnd + 1
    if (section[at] !== SPACE && section[at] !== TAB) return at
  }
}

const TAB = 9
const LF = 10
const SPACE = 32
const COLON = 58
