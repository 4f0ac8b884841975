/** What went wrong with a socket, in the words of an administrator. */

export function socketErrorInWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, reason } = error as NodeJS.ErrnoException & { readonly reason?: string }
  return WORDS[code ?? ''] ?? reason ?? code ?? error.message
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by the server',
  EPIPE: 'connection reset by the server',
  ETIMEDOUT: 'connection timed out',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name could not be looked up just now',
}
