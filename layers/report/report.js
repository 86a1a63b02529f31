// switches the language; #en opens the page in English
(function () {
  var root = document.documentElement;
  function show(language) {
    root.dataset.lang = language;
    root.lang = language === "en" ? "en" : "zh-CN";
    document.title = language === "en" ? root.dataset.titleEn : root.dataset.titleZh;
  }
  document.getElementById("language").addEventListener("click", function () {
    show(root.dataset.lang === "en" ? "zh" : "en");
  });
  if (location.hash === "#en") show("en");
})();
