/**
 * How strong a cipher suite is, for lines of the access map that ask for so many bits.
 *
 * The numbers are OpenSSL's strength bits, which sendmail compares. They are read off the name of the
 * cipher and never off that of the hash: TLS_AES_128_GCM_SHA256 has 128.
 */

/** By OpenSSL's name of the suite, or the RFC's; 0 for a suite that encrypts nothing, and for one that is not known here. */
export function cipherBits(suite: string): number {
  return STRENGTHS.find(([pattern]) => pattern.test(suite))?.[1] ?? 0
}

const STRENGTHS: readonly (readonly [RegExp, number])[] = [
  // Its tag is short, and OpenSSL counts that.
  [/CCM_?8/i, 64],
  [/(?:AES|ARIA|CAMELLIA)[-_]?256|CHACHA20/i, 256],
  [/(?:AES|ARIA|CAMELLIA)[-_]?128|SEED|IDEA|RC4/i, 128],
  [/3DES|DES-CBC3/i, 112],
]
