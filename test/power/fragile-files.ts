/**
 * Body files on a disk whose power is cut after so many steps, and that keeps only what was synced.
 *
 * For machines where the real calls can't be watched, and for the order of steps that the spool
 * itself is responsible for.
 */

import type { BodyFile, BodyFiles } from '../../src/io/body-files.ts'
import { SpoolFailed } from '../../src/relay/ports.ts'

export class FragileFiles implements BodyFiles {
  readonly #files: Map<string, Buffer>
  #stepsLeft: number

  constructor(stepsLeft: number, files = new Map<string, Buffer>()) {
    this.#stepsLeft = stepsLeft
    this.#files = files
  }

  /** The same disk, with power. */
  afterPowerCut(): FragileFiles {
    return new FragileFiles(Number.POSITIVE_INFINITY, this.#files)
  }

  get isCut(): boolean {
    return this.#stepsLeft <= 0
  }

  async create(name: string): Promise<BodyFile> {
    this.#step()
    this.#files.set(name, Buffer.alloc(0))
    return {
      append: async parts => {
        const before = this.#files.get(name) ?? Buffer.alloc(0)
        const after = Buffer.concat([before, ...parts])
        // What is under way when the power goes is there in part.
        if (this.#stepsLeft === 1) this.#files.set(name, after.subarray(0, Math.floor((before.length + after.length) / 2)))
        this.#step()
        this.#files.set(name, after)
      },
      close: async () => {},
    }
  }

  async *read(name: string): AsyncGenerator<Uint8Array> {
    yield this.#files.get(name) ?? Buffer.alloc(0)
  }

  sizeOf(name: string): number | null {
    return this.#files.get(name)?.length ?? null
  }

  async remove(name: string): Promise<void> {
    this.#step()
    this.#files.delete(name)
  }

  names(): readonly string[] {
    return [...this.#files.keys()]
  }

  usedBytes(): number {
    return 0
  }

  #step(): void {
    if (--this.#stepsLeft <= 0) throw new SpoolFailed('the power is cut')
  }
}
