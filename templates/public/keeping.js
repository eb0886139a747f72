// Says what this device keeps for times without a network, and how old it is; asks for the scanner to be kept as well.
(function () {
  var place = document.getElementById('keeping');
  if (!navigator.serviceWorker || !self.caches) return;

  function minute(millis) {
    var local = new Date(millis + 8 * 3600000).toISOString();
    return local.slice(5, 10) + ' ' + local.slice(11, 16);
  }

  function tell() {
    return caches.open('ecert-data').then(function (cache) {
      return Promise.all(['/status-lists/1', '/.well-known/ecert-keys.json'].map(function (path) {
        return cache.match(path, { ignoreVary: true });
      }));
    }).then(function (kept) {
      if (!kept[0] || !kept[1]) return;
      var at = minute(Number(kept[0].headers.get('ecert-kept-at')));
      place.textContent = '没有网络也能查验：本机保存的状态清单取得于 ' + at + '（北京时间），24 小时内可用。';
      var english = document.createElement('span');
      english.className = 'en';
      english.lang = 'en';
      english.textContent = ' Works without a network: the status list kept here was fetched ' + at + ' (UTC+8) and holds 24 hours.';
      place.appendChild(english);
      place.hidden = false;
    });
  }

  addEventListener('load', function () {
    navigator.serviceWorker.register('/sw.js', { updateViaCache: 'all' }).then(function () {
      return navigator.serviceWorker.ready;
    }).then(function (registration) {
      registration.active.postMessage('refresh');
      registration.active.postMessage('keep-scanner');
      return tell();
    }).then(null, function () {});
  });
  tell().then(null, function () {});
})();
