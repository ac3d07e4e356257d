/** Where the extension's storage has what was applied to the user's folders. */
export const APPLIES = 'applies';
