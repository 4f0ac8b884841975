/**
 * The files of the old site, as a migration asks for them: by the paths that its configuration gives
 * them, wherever they really are.
 */

export type SiteFiles = {
  /** Null if there is no such file. */
  read(path: string): SiteText | null
  /** Where a file really is that will be used in its place; null if there is none. */
  locate(path: string): string | null
  /** Why a key may not be used as it is (its mode, its owner), or null. */
  keyProblem(path: string): string | null
  /** The CA certificates in a file, or in a folder that OpenSSL looks them up in. */
  authorities(path: string): FoundAuthorities
}

export type FoundAuthorities = {
  readonly counting: readonly SiteAuthority[]
  /** In files of a folder that are not named for a hash, where OpenSSL does not find them. */
  readonly passedOver: readonly { readonly name: string; readonly subject: string }[]
  /** Names of files that we may not read. */
  readonly unreadable: readonly string[]
}

export type SiteText = {
  /** For the report: relative where it lies in the folder that is being migrated. */
  readonly name: string
  readonly text: string
}

export type SiteAuthority = {
  /** In access-map form. */
  readonly subject: string
  readonly pem: string
  /** Milliseconds since 1970. */
  readonly notAfter: number
}
