/** How long certificates are valid, unless the command says otherwise. */

/** Apple's programs take no server certificate that is valid for longer than 825 days. */
export const SERVER_DAYS = 820
export const CLIENT_DAYS = 365
