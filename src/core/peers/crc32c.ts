/** The checksum of RFC 3309 (Castagnoli's polynomial), as the PROXY protocol uses it. */

export function crc32c(bytes: Uint8Array): number {
  let rest = 0xffffffff
  for (const octet of bytes) rest = (TABLE[(rest ^ octet) & 0xff] ?? 0) ^ (rest >>> 8)
  return (rest ^ 0xffffffff) >>> 0
}

/** The polynomial with its bits in the order in which they are sent. */
const POLYNOMIAL = 0x82f63b78

const TABLE = Uint32Array.from({ length: 256 }, (_, octet) => {
  let rest = octet
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ POLYNOMIAL : rest >>> 1
  return rest
})
