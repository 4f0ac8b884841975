/**
 * How many TLS handshakes may be under way at one time in this process.
 *
 * When there are more, the one that has taken longest gives way. A client that means it is done within
 * milliseconds; one that only holds a place is the first to lose it, so that nobody can keep others
 * out by being slow (S18).
 */

type Handshake = { readonly cut: (why: string) => void }

export class HandshakeRoom {
  /** In order of arrival. */
  readonly #underWay = new Set<Handshake>()
  #most: number

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#underWay.size
  }

  reconfigure(most: number): void {
    this.#most = most
  }

  /** `cut` ends the handshake from outside. Returns what to call when it has ended by itself. */
  enter(cut: (why: string) => void): () => void {
    const handshake: Handshake = { cut }
    this.#underWay.add(handshake)
    if (this.#underWay.size > this.#most) this.#cutOldest()
    return () => this.#underWay.delete(handshake)
  }

  #cutOldest(): void {
    for (const oldest of this.#underWay) {
      this.#underWay.delete(oldest)
      return oldest.cut(`limits.handshakes = ${this.#most} were under way, and it had taken longest`)
    }
  }
}
