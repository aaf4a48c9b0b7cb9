"""The emoji shortcodes the emulated Slack knows: a small table of common ones.

An unknown `:shortcode:` stays as it was typed, as in Slack.
"""

import re

_TABLE = """
+1 👍 thumbsup 👍 -1 👎 thumbsdown 👎 100 💯 alarm_clock ⏰ apple 🍎 arrow_down ⬇️ arrow_forward ▶️ arrow_left ⬅️
arrow_right ➡️ arrow_up ⬆️ arrow_upper_right ↗️ arrows_counterclockwise 🔄 art 🎨 bar_chart 📊 beetle 🐞 bell 🔔
black_circle ⚫ black_medium_square ◼️ black_square_button 🔲 black_square_for_stop ⏹️ blue_heart 💙 bomb 💣 book 📖
books 📚 bookmark 🔖 boom 💥 brain 🧠 broom 🧹 bug 🐛 building_construction 🏗️ bulb 💡 bust_in_silhouette 👤
busts_in_silhouette 👥 calendar 📅 chart_with_downwards_trend 📉 chart_with_upwards_trend 📈 checkered_flag 🏁 clap 👏
clipboard 📋 clock1 🕐 clock3 🕒 clock9 🕘 closed_lock_with_key 🔐 cloud ☁️ coffee ☕ coin 🪙 collision 💥 computer 💻
confused 😕 construction 🚧 construction_worker 👷 credit_card 💳 crossed_fingers 🤞 crystal_ball 🔮 cyclone 🌀 dart 🎯
date 📅 diamond_shape_with_a_dot_inside 💠 dollar 💵 double_vertical_bar ⏸️ ear 👂 electric_plug 🔌 email ✉️
envelope ✉️ exclamation ❗ eyes 👀 factory 🏭 fast_forward ⏩ file_folder 📁 fire 🔥 flag-pt 🇵🇹 gear ⚙️ gem 💎 ghost 👻
gift 🎁 green_circle 🟢 green_heart 💚 grey_exclamation ❕ grey_question ❔ grin 😁 hammer 🔨 hammer_and_wrench 🛠️
handshake 🤝 heart ❤️ heavy_check_mark ✔️ heavy_minus_sign ➖ heavy_multiplication_x ✖️ heavy_plus_sign ➕ herb 🌿
hourglass ⌛ hourglass_flowing_sand ⏳ hugging_face 🤗 information_source ℹ️ inbox_tray 📥 jigsaw 🧩 joy 😂 key 🔑
label 🏷️ ladder 🪜 large_blue_circle 🔵 large_blue_diamond 🔷 large_blue_square 🟦 large_brown_circle 🟤
large_green_circle 🟢 large_green_square 🟩 large_orange_circle 🟠 large_orange_diamond 🔶 large_orange_square 🟧
large_purple_circle 🟣 large_red_square 🟥 large_yellow_circle 🟡 large_yellow_square 🟨 laughing 😆 leaves 🍃 link 🔗
lock 🔒 lock_with_ink_pen 🔏 loud_sound 🔊 loudspeaker 📢 mag 🔍 mag_right 🔎 mailbox 📫 mega 📣 memo 📝 merge 🔀
microscope 🔬 money_with_wings 💸 moneybag 💰 mute 🔇 nerd_face 🤓 new 🆕 newspaper 📰 no_bell 🔕 no_entry ⛔
no_entry_sign 🚫 no_good 🙅 o ⭕ octagonal_sign 🛑 ok 🆗 ok_hand 👌 open_file_folder 📂 orange_circle 🟠 outbox_tray 📤
package 📦 page_facing_up 📄 palm_tree 🌴 paperclip 📎 party_popper 🎉 pause_button ⏸️ pencil 📝 pencil2 ✏️
person_climbing 🧗 pill 💊 pinched_fingers 🤌 point_down 👇 point_left 👈 point_right 👉 point_up ☝️ pray 🙏
purple_circle 🟣 pushpin 📌 question ❓ rabbit 🐰 rainbow 🌈 raised_hand ✋ raised_hands 🙌 recycle ♻️ red_circle 🔴
repeat 🔁 robot_face 🤖 rocket 🚀 rotating_light 🚨 runner 🏃 running 🏃 sandwich 🥪 scales ⚖️ scissors ✂️ scroll 📜
see_no_evil 🙈 seedling 🌱 shield 🛡️ ship 🚢 shrug 🤷 simple_smile 🙂 slightly_smiling_face 🙂 small_blue_diamond 🔹
small_orange_diamond 🔸 small_red_triangle 🔺 small_red_triangle_down 🔻 smile 😄 smiley 😃 snail 🐌 snake 🐍
snowflake ❄️ sos 🆘 sparkles ✨ speech_balloon 💬 spiral_calendar_pad 🗓️ star ⭐ star2 🌟 stop_button ⏹️ stopwatch ⏱️
sun_with_face 🌞 sunglasses 😎 sunny ☀️ sunrise 🌅 tada 🎉 test_tube 🧪 thinking_face 🤔 thought_balloon 💭 thread 🧵
timer_clock ⏲️ traffic_light 🚦 triangular_flag_on_post 🚩 triangular_ruler 📐 turtle 🐢 twisted_rightwards_arrows 🔀
umbrella ☔ unlock 🔓 v ✌️ vertical_traffic_light 🚦 wastebasket 🗑️ wave 👋 warning ⚠️ white_check_mark ✅
white_circle ⚪ white_medium_square ◻️ wink 😉 woman-shrugging 🤷 world_map 🗺️ wrench 🔧 writing_hand ✍️ x ❌
yellow_circle 🟡 yellow_heart 💛 zap ⚡ zzz 💤
"""

_words = _TABLE.split()
EMOJI: dict[str, str] = dict(zip(_words[::2], _words[1::2], strict=True)) | {"red_circle": "🔴"}

# What the reaction menu offers, in order.
REACTIONS = (
    "eyes",
    "white_check_mark",
    "tada",
    "+1",
    "rocket",
    "heart",
    "thinking_face",
    "x",
    "raised_hands",
)

SHORTCODE = re.compile(r":([a-z0-9_+'-]+):(?::skin-tone-[2-6]:)?")


def emoji(name: str) -> str | None:
    """The character for a shortcode (with or without colons), or None where it is not in the table."""
    return EMOJI.get(name.strip(":").split("::", 1)[0])


def replace_shortcodes(text: str) -> str:
    """Every known `:shortcode:` in plain text as its character."""
    return SHORTCODE.sub(lambda match: EMOJI.get(match[1], match[0]), text)
