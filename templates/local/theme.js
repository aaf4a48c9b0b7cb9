// Before anything is drawn: the theme this browser chose, or none, and then the system's holds.
document.documentElement.dataset.theme = localStorage.getItem("theme") || "";
