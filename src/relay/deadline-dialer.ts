/**
 * A dialer for one undertaking that must end in time: when the time is over, every connection that it
 * has opened is closed, and it opens no other.
 *
 * The timeouts of SMTP are minutes, and each byte of a server that means harm may begin a new one (S19).
 */

import type { ClientChannel, Dialer, Timers } from './ports.ts'

export class DeadlineDialer implements Dialer {
  readonly #dialer: Dialer
  readonly #channels = new Set<ClientChannel>()
  readonly #cancel: () => void
  #isOver = false

  constructor(dialer: Dialer, timers: Timers, milliseconds: number) {
    this.#dialer = dialer
    this.#cancel = timers.after(milliseconds, () => this.end())
  }

  get isOver(): boolean {
    return this.#isOver
  }

  async connect(request: Parameters<Dialer['connect']>[0]): Promise<ClientChannel | { readonly failed: string }> {
    if (this.#isOver) return { failed: TOO_LATE }
    const channel = await this.#dialer.connect(request)
    if ('failed' in channel) return channel
    if (this.#isOver) {
      channel.close()
      return { failed: TOO_LATE }
    }
    this.#channels.add(channel)
    return channel
  }

  /** Now, whatever is still open. */
  end(): void {
    this.#cancel()
    this.#isOver = true
    for (const channel of this.#channels) channel.close()
    this.#channels.clear()
  }
}

const TOO_LATE = 'the time for it is over'
