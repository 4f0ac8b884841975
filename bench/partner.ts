/** A process of the benchmark other than the servers, with which requests and answers are exchanged. */

import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'

export class Partner<Request, Answer extends { readonly kind: string }> {
  readonly #process: ChildProcess
  readonly #name: string
  #waiting: { readonly kind: string; readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void }[] = []

  constructor(name: 'load' | 'sink') {
    this.#name = name
    this.#process = fork(join(import.meta.dirname, `${name}.ts`), [], { serialization: 'advanced' })
    this.#process.on('message', (answer: Answer) => {
      const waiting = this.#waiting
      this.#waiting = waiting.filter(one => one.kind !== answer.kind)
      for (const one of waiting) if (one.kind === answer.kind) one.resolve(answer)
    })
    this.#process.on('exit', code => {
      for (const one of this.#waiting.splice(0)) one.reject(new Error(`the ${this.#name} process ended with code ${code}`))
    })
  }

  send(request: Request): void {
    this.#process.send(request as object)
  }

  /** The next answer of this kind. */
  next<Kind extends Answer['kind']>(kind: Kind): Promise<Extract<Answer, { kind: Kind }>> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ kind, resolve: answer => resolve(answer as Extract<Answer, { kind: Kind }>), reject })
    })
  }

  ask<Kind extends Answer['kind']>(request: Request, kind: Kind): Promise<Extract<Answer, { kind: Kind }>> {
    const answer = this.next(kind)
    this.send(request)
    return answer
  }

  end(): void {
    if (this.#process.connected) this.#process.disconnect()
  }
}
