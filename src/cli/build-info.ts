/** What the bundle knows of itself. Outside a bundle (in tests) there is nothing to know. */

declare const __CJE_VERSION__: string;
declare const __CJE_BUILD_DIGEST__: string;
declare const __CJE_CODE_DIGESTS__: Readonly<Record<string, string>>;

export const VERSION: string = __CJE_VERSION__;
/** A digest of the whole program; a memory of another program's build is no memory. */
export const BUILD_DIGEST: string = __CJE_BUILD_DIGEST__;
export const CODE_DIGESTS: Readonly<Record<string, string>> = __CJE_CODE_DIGESTS__;
