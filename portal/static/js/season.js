/* New numbers every five minutes, unless somebody is in the middle of something. */
setInterval(() => {
  if (!document.hidden && !document.activeElement?.closest("form, main a")) location.reload();
}, 300000);
