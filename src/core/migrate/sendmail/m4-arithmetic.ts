/**
 * The sums of m4's `eval`: whole numbers of 32 bits, with the signs of C and its order among them.
 */

/** In decimal, as m4 writes it. Null for what is no sum, and for a division by zero. */
export function evaluate(text: string): string | null {
  if (text.trim() === '') return '0'
  const sum = new Sum(text)
  const value = sum.whole()
  return value === null ? null : String(value)
}

type Operation = (a: number, b: number) => number | null

/** From what binds least to what binds most; each row from left to right. */
const ROWS: readonly { readonly [sign: string]: Operation }[] = [
  { '||': (a, b) => Number(a !== 0 || b !== 0) },
  { '&&': (a, b) => Number(a !== 0 && b !== 0) },
  { '|': (a, b) => a | b },
  { '^': (a, b) => a ^ b },
  { '&': (a, b) => a & b },
  { '==': (a, b) => Number(a === b), '!=': (a, b) => Number(a !== b) },
  { '<=': (a, b) => Number(a <= b), '>=': (a, b) => Number(a >= b), '<': (a, b) => Number(a < b), '>': (a, b) => Number(a > b) },
  { '<<': (a, b) => a << b, '>>': (a, b) => a >> b },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
  { '*': (a, b) => Math.imul(a, b), '/': (a, b) => (b === 0 ? null : a / b), '%': (a, b) => (b === 0 ? null : a % b) },
]

const SIGNS: { readonly [sign: string]: (value: number) => number } = { '-': value => -value, '+': value => value, '!': value => Number(value === 0), '~': value => ~value }

/** Brackets and signs in front, one within the other; a site's sums have one or two. */
const DEEPEST = 50

class Sum {
  readonly #tokens: readonly string[]
  readonly #isWhole: boolean
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#tokens = text.match(TOKEN) ?? []
    this.#isWhole = this.#tokens.join('') === text.replace(/\s+/g, '')
  }

  whole(): number | null {
    const value = this.#isWhole ? this.#row(0) : null
    return this.#at === this.#tokens.length ? value : null
  }

  #row(level: number): number | null {
    const row = ROWS[level]
    if (row === undefined) return this.#power()
    let value = this.#row(level + 1)
    for (;;) {
      const operation = row[this.#tokens[this.#at] ?? '']
      if (value === null || operation === undefined) return value
      this.#at += 1
      const right = this.#row(level + 1)
      const result = right === null ? null : operation(value, right)
      value = result === null ? null : result | 0
    }
  }

  /** The only ones that are read from right to left. */
  #power(): number | null {
    const base = this.#term()
    if (base === null || this.#tokens[this.#at] !== '**') return base
    this.#at += 1
    const exponent = this.#nested(() => this.#power())
    return exponent === null || exponent < 0 ? null : base ** exponent | 0
  }

  /** A number, a bracket, or either with a sign in front. */
  #term(): number | null {
    return this.#nested(() => this.#signed())
  }

  #nested(read: () => number | null): number | null {
    this.#depth += 1
    const value = this.#depth > DEEPEST ? null : read()
    this.#depth -= 1
    return value
  }

  #signed(): number | null {
    const token = this.#tokens[this.#at] ?? ''
    this.#at += 1
    const sign = SIGNS[token]
    if (sign !== undefined) {
      const value = this.#term()
      return value === null ? null : sign(value) | 0
    }
    if (token !== '(') return /^\d/.test(token) ? numberOf(token) : null
    const value = this.#row(0)
    if (this.#tokens[this.#at] !== ')') return null
    this.#at += 1
    return value
  }
}

/** `0x1f`, and `010` for eight. */
function numberOf(token: string): number | null {
  const value = /^0\d/.test(token) ? Number(`0o${token.slice(1)}`) : Number(token)
  return Number.isNaN(value) ? null : value | 0
}

const TOKEN = /0[xX][0-9a-fA-F]+|\d+|\|\||&&|\*\*|==|!=|<<|>>|<=|>=|[-+*/%<>!~&|^()]/g
