/**
 * Names in DNS for domains that are written with letters beyond ASCII (RFC 5890).
 *
 * One such domain has many spellings: `müller.example` composed or decomposed, in capitals, in full-width letters;
 * `ｂａｎｋ.example` is `bank.example`. So the A-labels are what is compared, and what DNS is asked for.
 */

export const NON_ASCII = /[^\0-\x7f]/

/**
 * The domain in A-labels and lower case, mapped as UTS #46 has it; null if no name in DNS can be meant. A dot before or
 * after it stays.
 */
export function toALabels(domain: string): string | null {
  if (MORE_THAN_NAME.test(domain)) return null
  // The host of a URL is mapped by these rules. What looks like an IPv4 address there has become one.
  const name = URL.parse(`ws://${domain}`)?.hostname ?? ''
  return NAME.test(name) && !ADDRESS.test(name) ? name : null
}

/** In a URL these end the host, or are unescaped. */
const MORE_THAN_NAME = /[^\w.\-\x80-\uffff]/
/** Labels and a name of the size that DNS has (RFC 1035 §2.3.4). */
const NAME = /^(?=.{1,254}$)\.?[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?$/
const ADDRESS = /^[\d.]+$/
