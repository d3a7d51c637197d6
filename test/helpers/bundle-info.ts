/** What the bundler would fill in. Set before every file: modules are shared between files, whoever loads them first. */

Object.assign(globalThis, {
  __CJE_VERSION__: '0.0.0',
  __CJE_BUILD_DIGEST__: '',
  // Any kind's code has a digest.
  __CJE_CODE_DIGESTS__: new Proxy({}, { get: () => 'code' }),
});
