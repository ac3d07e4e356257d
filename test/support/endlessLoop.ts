/* Loaded into a relay before it starts (`node --import`): from SIGUSR2 on it runs in circles and does nothing else. */

process.on('SIGUSR2', () => {
  for (;;) {
    // So that nothing but SIGKILL ends it.
  }
});
