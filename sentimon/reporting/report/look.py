"""How the HTML of a report looks: one style sheet, light and dark, on screens of every width and on paper."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--paper:#fff;--raised:#f5f6f8;--ink:#1b1f24;--soft:#59616c;--rule:#d5d9df;
--grid:#e5e8ec;--link:#0b5cad;--class0:#c2410c;--class1:#87909c;--class2:#0f766e;--mark:#1d4ed8;
--limit:#b42318;--incident:#b42318;--reference:#64748b;--well:#0f6b3d;--finding:#b42318;--unknown:#7a5600}
@media (prefers-color-scheme:dark){:root{--paper:#14171b;--raised:#1d2127;--ink:#e8eaed;--soft:#a5aeb9;
--rule:#3a414b;--grid:#2a3038;--link:#8ab8ff;--class0:#f28b57;--class1:#8d96a3;--class2:#3fb8a8;
--mark:#8ab4ff;--limit:#ff8a80;--incident:#ff8a80;--reference:#94a3b8;--well:#5fd08f;--finding:#ff8a80;
--unknown:#f0c04f}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,sans-serif;
overflow-wrap:anywhere}
main,header,footer{max-width:60rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2rem}
h1{font-size:1rem;font-weight:600;margin:0;color:var(--soft)}
h2{font-size:1.3rem;line-height:1.3;margin:0 0 .75rem}
section{padding:1.75rem 0 .25rem;border-top:1px solid var(--rule);margin-top:1.75rem}
p{margin:.5rem 0;max-width:46rem}
a{color:var(--link)}
a:focus-visible,summary:focus-visible,
[tabindex]:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:.5rem;background:var(--paper);padding:.25rem .5rem}
.verdict{margin:.35rem 0 .25rem;font-size:2.1rem;line-height:1.2;font-weight:700}
.said{font-size:1.15rem}
.about,footer{color:var(--soft);font-size:.9rem}
footer{padding-bottom:2rem;margin-top:2rem}
.plain{color:var(--ink)}
.well{color:var(--well)}.finding{color:var(--finding)}.unknown{color:var(--unknown)}
.answers{display:grid;grid-template-columns:repeat(auto-fit,minmax(17rem,1fr));gap:.75rem;margin:1.25rem 0 0}
.answers div{background:var(--raised);border-left:.3rem solid;padding:.6rem .9rem;border-radius:.25rem}
.answers dt{color:var(--soft);font-size:.85rem}
.answers dd{margin:0}
.answers .word{font-weight:700;font-size:1.1rem}
.answers .detail{color:var(--ink);font-size:.92rem}
nav ul{list-style:none;padding:0;margin:1.25rem 0 0;display:flex;flex-wrap:wrap;gap:.3rem 1.1rem}
nav a{display:inline-block;padding:.15rem 0}
figure{margin:1rem 0 1.25rem}
figcaption{font-weight:600;margin-bottom:.35rem}
svg{display:block;width:100%;height:auto;overflow:visible}
.calibration svg{max-width:34rem}
.legend{list-style:none;padding:0;margin:.35rem 0 0;display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;
font-size:.88rem;color:var(--soft)}
.legend li{display:flex;align-items:center;gap:.4rem}
.legend svg{width:1.5rem;height:.9rem;flex:none}
text{font:11px system-ui,sans-serif;fill:var(--soft)}
.note{fill:var(--ink);stroke:var(--paper);stroke-width:4px;paint-order:stroke;stroke-linejoin:round}
.grid{stroke:var(--grid);vector-effect:non-scaling-stroke}
.axis{stroke:var(--soft);vector-effect:non-scaling-stroke}
.pale{opacity:.45}
.class0{fill:var(--class0)}.class1{fill:var(--class1)}.class2{fill:var(--class2)}
.line{fill:none;stroke:var(--mark);stroke-width:2;stroke-linejoin:round;vector-effect:non-scaling-stroke}
.band{fill:var(--mark);fill-opacity:.18}
.mark{fill:var(--mark)}
.weak{fill:var(--paper);stroke:var(--mark);vector-effect:non-scaling-stroke}
.limit{fill:none;stroke:var(--limit);stroke-width:1.5;stroke-dasharray:6 4;vector-effect:non-scaling-stroke}
.incident{fill:var(--incident);fill-opacity:.2}
.reference{fill:var(--reference);fill-opacity:.16}
.before,.now{stroke-width:3;vector-effect:non-scaling-stroke}
.before{stroke:var(--reference)}.now{stroke:var(--mark)}
.before.point{fill:var(--paper)}.now.point{fill:var(--mark)}
.scroll{overflow-x:auto;margin:1rem 0}
table{border-collapse:collapse;font-size:.92rem;min-width:min(100%,24rem)}
caption{text-align:left;font-weight:600;padding-bottom:.4rem}
caption span{display:block;max-width:min(58rem,calc(100vw - 2.5rem))}
details caption{position:absolute;clip-path:inset(50%)}
th,td{text-align:left;padding:.3rem .9rem .3rem 0;border-bottom:1px solid var(--grid);vertical-align:top;
unicode-bidi:isolate;min-width:3rem}
.number,thead th{overflow-wrap:normal;min-width:0}
td{min-width:5.5rem}
th:last-child,td:last-child{padding-right:0}
thead th{border-bottom:1px solid var(--soft);font-weight:600;color:var(--soft)}
tbody th{font-weight:500;min-width:6rem}
.number{text-align:right;font-variant-numeric:tabular-nums}
.range{white-space:nowrap;color:var(--soft)}
summary{cursor:pointer;padding:.25rem 0;color:var(--link)}
@media (max-width:40rem){main,header,footer{padding-left:1rem;padding-right:1rem}.verdict{font-size:1.75rem}
text{font-size:20px}circle{r:5px}.legend circle{r:5px}.spare{display:none}
table{font-size:.82rem}th,td{padding-right:.45rem}.range{display:block;font-size:.71rem}
td{min-width:0}tbody th{min-width:4.9rem}}
@media print{:root{color-scheme:light;--paper:#fff;--raised:#fff;--ink:#000;--soft:#444;--rule:#bbb;
--grid:#ddd;--link:#000;--class0:#c2410c;--class1:#87909c;--class2:#0f766e;--mark:#1d4ed8;--limit:#b42318;
--incident:#b42318;--reference:#64748b;--well:#0f6b3d;--finding:#b42318;--unknown:#7a5600}
body{font-size:10pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}
nav,.skip{display:none}main,header,footer{max-width:none;padding:0}.scroll{overflow:visible}
figure,tr,.answers div{break-inside:avoid}h2,caption,figcaption{break-after:avoid}
section{padding-top:1rem;margin-top:1rem}}
"""
