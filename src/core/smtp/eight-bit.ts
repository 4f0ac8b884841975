/**
 * Finds out whether a message really needs 8BITMIME or SMTPUTF8 (RFC 6152, RFC 6531): a client that
 * declared them may have sent plain ASCII, which any server takes.
 */
export class EightBitFinder {
  #header = false
  #body = false
  /** How much of CRLF CRLF has just been read; 2 at the start, where an empty line is an empty header. */
  #matched = 2
  #inBody = false

  feed(chunk: Uint8Array): void {
    for (const byte of chunk) {
      if (byte >= 0x80) {
        if (this.#inBody) this.#body = true
        else this.#header = true
      }
      if (!this.#inBody) this.#seek(byte)
    }
  }

  /** Bytes above 127 in the header section, and in the body. */
  found(): { readonly header: boolean; readonly body: boolean } {
    return { header: this.#header, body: this.#body }
  }

  #seek(byte: number): void {
    if (byte === END_OF_HEADER[this.#matched]) this.#matched++
    else this.#matched = byte === 13 ? 1 : 0
    this.#inBody = this.#matched === END_OF_HEADER.length
  }
}

const END_OF_HEADER = [13, 10, 13, 10]
