/** Requests to another process that have no answer yet. When the process ends, they all fail. */

export class Calls<Answer> {
  readonly #pending = new Map<number, (answer: Answer) => void>()
  readonly #ifGone: Answer
  #last = 0

  /** `ifGone` answers every call that the other process did not live to answer. */
  constructor(ifGone: Answer) {
    this.#ifGone = ifGone
  }

  /** `send` is given the id that the answer must carry; false means that nobody is there to ask. */
  ask(send: (requestId: number) => boolean): Promise<Answer> {
    const requestId = ++this.#last
    return new Promise(resolve => {
      this.#pending.set(requestId, resolve)
      if (!send(requestId)) this.answered(requestId, this.#ifGone)
    })
  }

  /** Answers that nobody waits for are ignored. */
  answered(requestId: number, answer: Answer): void {
    const resolve = this.#pending.get(requestId)
    this.#pending.delete(requestId)
    resolve?.(answer)
  }

  gone(): void {
    for (const requestId of this.#pending.keys()) this.answered(requestId, this.#ifGone)
  }
}
