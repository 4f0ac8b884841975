/**
 * The cryptography of passwords, on node:crypto. What takes long is done off the event loop, a few at
 * a time: a flood of logins waits, and does not take the memory and the cores of everybody else (S18).
 */

import { argon2, createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { PasswordCrypto } from '../relay/ports.ts'
import { TooBusy } from '../relay/ports.ts'

/** Each argon2id takes some 20 MB and a core for a moment; the spool needs threads of the same pool. */
const AT_ONE_TIME = 2
const MOST_WAITING = 64

const derive = promisify(argon2)
const deriveScram = promisify(pbkdf2)

const DIGESTS = { 'SHA-256': { name: 'sha256', octets: 32 }, 'SHA-1': { name: 'sha1', octets: 20 } } as const

export function createPasswordCrypto(): PasswordCrypto {
  const gate = new Gate()
  return {
    argon2id: (password, salt, { memory, passes, parallelism }) =>
      gate.pass(() => derive('argon2id', { message: password, nonce: salt, parallelism, tagLength: 32, memory, passes })),
    pbkdf2: (hash, password, salt, iterations) =>
      gate.pass(() => deriveScram(password, salt, iterations, DIGESTS[hash].octets, DIGESTS[hash].name)),
    hmac: (hash, key, message) => createHmac(DIGESTS[hash].name, key).update(message).digest(),
    digest: (hash, octets) => createHash(DIGESTS[hash].name).update(octets).digest(),
    isSame: (a, b) => a.length === b.length && timingSafeEqual(a, b),
    random: octets => randomBytes(octets),
    toBase64: octets => Buffer.from(octets).toString('base64'),
    fromBase64: text => Buffer.from(text, 'base64'),
  }
}

class Gate {
  #running = 0
  readonly #waiting: (() => void)[] = []

  async pass<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#running >= AT_ONE_TIME) {
      if (this.#waiting.length >= MOST_WAITING) throw new TooBusy('too many passwords are being checked')
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    } else {
      this.#running++
    }
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}
