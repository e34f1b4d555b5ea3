/// Words that say little in languages of Asia, and in the Hindi that is written in Latin letters.
extension StopWords {
    static let arabic = """
        آه أبدا أثناء أجل أحد أخرى أصبح أصلا أكثر أقل ألا أم أما أمام أن أنا أنت أنتم أنتما أنتن أنه أنها أنهم أنني أو
        أول أولئك أي أيا أيضا أين أينما إذ إذا إذن إلا إلى إليه إليها إليهم إليك إما إن إنا إنما إنه إنها إنهم إنني
        اثناء اذا اكثر الآن التي الذي الذين اللاتي اللتان اللذان اللواتي الى اما ان انا انه انها او اي ايضا بأن بئس
        بات باسم بحيث بد بدون بسبب بشأن بعد بعض بعيدا بل بلا بلى بما بمن بن به بها بهذا بهذه بهم بيد بين بينما تحت تلك
        تكون تم ثم ثمة جدا جميع حتى حسب حول حيث حين حينما خارج خلال خلف داخل دون ذا ذات ذاك ذلك ذلكم ذلكما ذو ذي رب
        ربما سوف سوى شبه شيء ضد ضمن طالما طوال عاد عام عامة عبر عدا عدم عدة على عليك علينا عليه عليها عليهم عن عند
        عندما عنه عنها عنهم غير فإن فأن فقد فقط فكان فلا فلم فما فمن فهل فهو فهي فوق في فيم فيما فيه فيها فيهم قال قبل
        قد كأن كأنما كافة كان كانت كانوا كذا كذلك كل كلا كلتا كلما كم كما كن كنا كنت كي كيف كيفما لا لأن لأنه لأنها
        لدى لدي لديه لديها لذا لذلك لست لعل لقد لك لكل لكم لكن لكنه لكنها لكي لم لما لماذا لن لنا له لها لهذا لهم لو
        لولا ليت ليس ليست ليسوا لي ما ماذا متى مثل مثلا مع معا معه معها معهم مما ممن من منا منذ منه منها منهم مهما نحن
        نحو نعم نفس نفسه نفسها هؤلاء ها هاتان هذا هذان هذه هكذا هل هم هما هن هنا هناك هنالك هو هي وأن وإن واحد وان
        وراء وقد وكان وكانت ولا ولكن ولم ولن وله وليس وما ومع ومن ومنها وهذا وهذه وهم وهو وهي يا يجب يكون يمكن يوجد
        """

    static let hebrew = """
        אבל אדם או אולי אותה אותו אותי אותך אותכם אותם אותן אותנו אז אחר אחרי אחרים אחרת אחד אחת אי איזה איזו איך אין
        איננה איננו אינם איפה אישה אך אל אלא אלה אלו אליה אליו אליהם אליך אם אמר אנחנו אני אנו אף אצל אשר את אתה אתם
        אתן באמצע באמת בגלל בין בלי בלבד במידה בעוד בעצמו בפני בשביל בתוך בה בהם בו בי בכל בכם בך בנו גם דרך הוא היא
        היה היו היות היינו היית הייתי היכן הם הן הנה הזה הזאת האלה האם הרבה הרי ואז והוא והיא ולא זאת זה זהו זו זות
        חוץ יהיה יהיו יכול יכולה יכולים יותר יש ישנו ישנם כאשר כאילו כאן כבר כדי כה כולו כולם כזה כזאת כזו כי כיצד כך
        כל כלומר כלל כמה כמו כן כפי כש לא לאחר לאו לאחרונה לאן לבין לגבי לה להיות להם להן לו לי לידי לך לכם לכן למה
        למטה למעלה למרות לנו לעבר לעיתים לפי לפיכך לפני לפעמים לתוך מאד מאוד מאחר מאחורי מאין מאשר מבין מדוע מה מהו
        מהי מול מחוץ מי מיד מכאן מכיוון מכל מלבד מן מנין מעט מעל מפני מצד מתחת מתי נגד נו נוסף סביב עד עדיין עוד על
        עליה עליו עליהם עליך עליי עלינו עם עמו עמה עמהם עצמה עצמו עצמם עצמן עצמנו פה פחות פעם רק רב שאין שאת שבה שבו
        שהוא שהיא שהיה שהם שוב של שלה שלהם שלהן שלו שלי שלך שלכם שלנו שם תהיה תחת תוך תמיד
        """

    static let azerbaijani = """
        mən mənə məni məndən mənim sən sənə səni səndən sənin o ona onu ondan onun onda biz bizə bizi bizdən bizim siz
        sizə sizi sizdən sizin onlar onlara onları onlardan onların özü özüm özün özünə özünü özünün özümüz öz bu buna
        bunu bundan bunun bunda bunlar bunlara bunları bunların bura burada buradan ora orada oradan belə elə beləcə
        eləcə belədir elədir həmin hamı hamısı bütün hər heç kimsə nəsə kim kimə kimi kimdən kimin nə nəyi nəyə nədən
        niyə necə neçə hansı harada hara haradan haqqında nəçi və ya yaxud amma ancaq lakin isə də da ki çünki əgər
        hərçənd baxmayaraq həm yoxsa yəni məsələn görə üçün ilə qədər sonra əvvəl qabaq bəri arasında üzrə üzərində
        altında içində yanında qarşı doğru tərəfindən vasitəsilə başqa savayı birlikdə əsasən var yox yoxdur deyil idi
        imiş olan olar olaraq oldu olub olduğu olduqda olmaq olmaz olmuş olsa olsun olur edən edər edir etdi etmək
        etmiş ola edə etmə bilər bilir gərək lazım olmalı dedi deyir deyə bir biri birdən bəzi bəzən çox az daha ən
        artıq hələ indi yenə həmişə vaxt belki bəlkə yalnız təkcə hətta məhz lap tam əlbəttə bəli xeyr axı ha ey eyni
        digər ayrı öncə sanki demək
        """

    static let kazakh = """
        ал алайда арасында арқылы арқасында аса ау ақ ба бар барлық барша бе бері бетімен бәрі бәріміз бәрің бір біраз
        бірақ бірге бірдей біреу біріне бірнеше бірі біз бізге бізде бізден біздің бізбен бойы бойынша болады болар
        болды болған болса болсын болу болып бұл бұған бұдан бұнда бұның бұны бұрын га ге да де дегенмен деген дейін
        деп дедi дейді егер екен екеу екі емес енді ерекше еш ешбір ешкім ештеңе еді және жоқ жуық жатыр жағы жүр
        жүргізу жөнінде жөн й иә кейбір кейін керек кез келген кім кімге кімді кімнің көп күні күйі ғана ғой қазір қай
        қайсы қайда қалай қандай қана қарай қарамастан қарағанда қатар қоса қой ма мақсатында маған мен менде менен
        мені менің мұнда мұның мұны мұндай ме мыналар мына мынау мынадай неге неліктен немесе не нені ненің нәрсе о
        оған одан ол олай олар оларға оларда олардан оларды олардың олармен онда онан онымен оны оның осы осыдан
        осында осындай отыр па пе пен өз өзге өзі өзіне өзінің өзіміз өйткені өте сайын саған сен сенде сенен сені
        сенің сондай сондықтан соң соңында сонда соның соны соларды сол сияқты сіз сізге сізде сізден сізді сіздің
        тағы та те туралы тұр тек түгел үшін шейін ша ше шақты ы іші ішінде ішінен
        """

    static let tajik = """
        агар аз ал албатта аммо ана ар аст ба баъд баъзе баъди баҳри балки барои баробари бас баски бе беш боз бо
        бошад бояд буд будам буданд буданро будед будем будӣ бул бароят ва вай вале воҳ вагарна гарчи гоҳ гоҳе гуё
        гуфт гуфта гӯё дар даруни дигар дигарон дида диҳад дорад доранд дорем дорам дошт доштанд ё ёки зеро зери зуд
        зан ин инак инҳо инро инчунин ист к кай кадом кард карда карданд кас касе кист ки ку куҷо кӣ лек лекин мабодо
        магар мақсади ман мана маро меб мегардад мекард мекунад мекунанд мешавад мешаванд мо моро мобайни мон на набуд
        нағз назди нест нестанд ним нисбати низ ноаён о он она онон онро онҳо оне оре оид паси пас пеш пеши пушти рафт
        рӯ рӯи рафта сари сипас ту туро танҳо тавре тарафи ташаккур то тоза умуман ҳам ҳама ҳамаи ҳамеша ҳамин ҳамон
        ҳамроҳи ҳанӯз ҳар ҳаргиз ҳарчанд ҳаст ҳастанд ҳастам ҳастем ҳатто ҳеҷ ҳоло ҳол чанд чандин чаро чашм чи чизе
        чун чунин чунки чунон чӣ чӣхел ҷуз шав шавад шаванд шояд шуд шуда шудан шуданд шумо шуморо эй эҳтимол як яке
        якҷоя яъне
        """

    static let bengali = """
        আমি আমার আমাকে আমরা আমাদের আমাদেরকে তুমি তোমার তোমাকে তোমরা তোমাদের তুই তোর আপনি আপনার আপনাকে আপনারা আপনাদের
        সে তার তাকে তারা তাদের তাদেরকে তিনি তাঁর তাঁকে তাঁরা তাঁদের উনি ওনার এরা ওরা এদের ওদের নিজে নিজের নিজেকে
        নিজেদের নিজেই এ এই এটা এটি এগুলো এর একে এতে এখানে এখন এখনও এমন এত এভাবে ও ওই ওটা ওর ওকে ওখানে সেই সেটা সেটি
        সেগুলো সেখানে তখন তেমন তত তাই তাতে তবে তা তাহা ইহা কে কার কাকে কারা কি কী কেন কোথায় কখন কখনও কেমন কত কোন কোনো
        কোনও কেউ কিছু কিছুই কীভাবে যে যা যার যাকে যারা যাদের যিনি যখন যেখানে যেমন যত যদি যদিও যাতে যেন যেটা এবং আর
        অথবা বা কিংবা কিন্তু তবু তাহলে কারণ সুতরাং অতএব অথচ বরং নতুবা নইলে অর্থাৎ যেহেতু যাই তথা থেকে হতে দিয়ে দ্বারা
        জন্য জন্যে সঙ্গে সাথে মধ্যে মাঝে উপর উপরে নিচে নীচে সামনে পিছনে পরে পর আগে কাছে দিকে প্রতি পর্যন্ত অনুযায়ী
        সম্পর্কে বিরুদ্ধে ছাড়া বিনা মতো মত চেয়ে বাইরে ভিতরে মাধ্যমে পক্ষে ব্যতীত হয় হন হয়ে হয়েছে হয়েছেন হয়েছিল
        হবে হবেন হলে হল হলো হচ্ছে হওয়া হওয়ার হয়নি আছে আছেন আছি ছিল ছিলেন ছিলাম থাকে থাকেন থাকবে থাকা থাকতে নেই নয়
        না নাই নি করা করে করেন করেছে করেছেন করছে করতে করবে করার করলে করেছিল করি যায় যাবে যেতে গেছে গেল আসে এসে দেয়
        দেওয়া নেওয়া নিয়ে বলে বলেন বলা পারে পারেন পারি চায় উচিত রয়েছে খুব আরও আরো বেশি কম অনেক সব সকল সবাই সবার
        সমস্ত প্রত্যেক প্রতিটি অন্য অন্যান্য একটি একটা এক দুই দুটি শুধু কেবল মাত্র প্রায় আবার এখনই আজ অবশ্য হয়তো ঠিক
        বেশ নানা বিভিন্ন ইত্যাদি প্রভৃতি তো ই হ্যাঁ
        """

    static let nepali = """
        म मैले मलाई मेरो मेरा मेरी हामी हामीले हामीलाई हाम्रो हाम्रा तँ तिमी तिमीले तिमीलाई तिम्रो तिम्रा तपाईं
        तपाईंले तपाईंलाई तपाईंको तपाईँ उ उसले उसलाई उसको ऊ उनी उनले उनलाई उनको उनीहरू उनीहरूको उहाँ उहाँले उहाँको तिनी
        तिनले तिनको तिनीहरू आफू आफूले आफ्नो आफ्ना आफै यो यसले यसलाई यसको यसमा यसरी यस यी यिनी यिनीहरू यहाँ यस्तो यस्ता
        त्यो त्यसले त्यसलाई त्यसको त्यसमा त्यस ती त्यहाँ त्यस्तो त्यस्ता त्यसैले त्यसपछि यसपछि यसैले को कसले कसलाई
        कसको के केले किन कहाँ कहिले कसरी कस्तो कति कुन कुनै कोही केही जो जसले जसलाई जसको जसमा जे जुन जहाँ जब जति जसरी
        जस्तो जस्तै जस्ता तब त्यति यति मा ले लाई बाट देखि सम्म सँग संग तिर द्वारा का की हरू लागि निम्ति बारे बारेमा
        विरुद्ध बिना बाहेक अनुसार मार्फत भन्दा माथि तल मुनि भित्र बाहिर अगाडि पछाडि अघि पछि बीच बीचमा नजिक वरिपरि सामु
        र वा तथा अनि तर यदि भने किनभने अथवा यद्यपि तापनि कि पनि त नै मात्र मात्रै समेत साथै फेरि झैं बरु नत्र अर्थात्
        जबकि हो हुन् हुन हुनु हुने हुन्छ हुन्छन् हुँ हौं होइन होइनन् छ छन् छु छौं छौ छैन छैनन् थियो थिए थिएन थिएनन्
        थिएँ हुँदै भयो भए भएको भएका भएर भई भनेर भनेको भन्ने भन्यो गर्न गर्ने गर्छ गर्छन् गरे गरेको गरेका गरेर गर्दै
        गर्यो गरी गरिएको गएको गयो आएको आयो रहेको रहेका रहेछ सक्छ सक्ने सकिन्छ पर्छ पर्ने पर्दैन दिएको दिने न नि अब
        अहिले आज हिजो भोलि अझ अझै सधैं कहिल्यै धेरै थोरै कम निकै एकदम सबै सबैले सबैको हरेक प्रत्येक अन्य अरू अरूले
        अर्को एक एउटा एउटै दुई दुवै केवल शायद सायद पहिले पहिलो
        """

    static let hinglish = """
        aadi aaj aap aapka aapke aapki aapko aapne aapse aata aate aati aaya aaye ab abhi acha achha agar aisa aise
        aisi aur apna apne apni are aya ba baad bahar bahut banana bas bata batao bhai bhale bhi bhitar bilkul bina
        bohot chahe chahiye chahta chahte chahti chal chalo de dekh dekho dena deta dete deti dijiye diya diye do dono
        dusra dusre dusri dwara ek ekdum fir gaya gaye gayi ha haan hai hain ham hamara hamare hamari hame hamne
        har hi ho hoga hogi hona hone hota hote hoti hua hue hui hum humara humare humari hume humein humne idhar in
        inhe inka inke inki ise isi iska iske iski isko isliye isme isne isse itna itne itni jab jabki jaha jahan
        jaisa jaise jaisi jaldi jana jane jata jate jati jaye jin jinhe jinka jinke jinki jis jise jiska jiske jiski
        jisko jisme jisne jitna jitne jo ka kab kabhi kaha kahan kahi kaisa kaise kaisi kal karenge karke karna karne
        karo karta karte karti kaun kaunsa kaunsi ke ki kidhar kijiye kin kinka kis kise kisi kiska kiske kiski kisko
        kisne kitna kitne kitni kiya kiye ko koi kon kuch kya kyon kyu kyunki kyuki lag lagta lagte lagti lekin liye
        lo log logo logon magar main mat me mein mera mere meri mujhe mujhko mujhse na nahi nahin ne neeche niche nhi
        o oopar or pahle par pass pata pe pehle pehla pehli phir pura pure puri raha rahe rahi rahta saath sab sabhi
        sabka sabko sabse sach sahi sakta sakte sakti se shayad si sirf so ta tab tabhi tak tera tere teri tha the
        theek thi thik thoda thodi to toh tu tujhe tum tumhara tumhare tumhari tumhe tumko tumne tumse udhar un unhe
        unka unke unki unko unhone unse upar us use usi uska uske uski usko usme usne usse utna utne va wahi waha
        wahan wala wale wali wo woh yaar yadi yaha yahan yahi ye yeh yun a about all an and any as at be been but by
        can could did does doing done for from had has have he her here him his how i if into is it its just more most
        my no not of off on only other our out over own she should some such than that their them then there these
        they this those through too under until up very was we were what when where which while who whom why will with
        would you your
        """

    static let indonesian = """
        ada adalah adanya adapun agar akan akhirnya aku akulah amat anda antar antara apa apabila apakah apalagi atau
        ataukah ataupun bagai bagaikan bagaimana bagaimanapun bagi bahkan bahwa bahwasanya banyak baru bawah beberapa
        begini begitu begitulah belum benar berapa berbagai bermacam bersama betul biasa biasanya bila bisa boleh buat
        bukan bukankah bukanlah cara cukup cuma dahulu dalam dan dapat dari daripada dekat demi demikian dengan depan
        di dia dialah diantara diri dirinya dong dulu enggak entah guna hal hampir hanya hanyalah harus haruslah
        hendak hingga ia ialah ibarat ingin ini inikah inilah itu itukah itulah jadi jangan jangankan janganlah jika
        jikalau juga justru kala kalau kalaupun kalian kami kamu kan kapan karena karenanya ke kecuali kelak kemudian
        kenapa kepada kepadanya ketika khususnya kini kita kok lagi lah lain lainnya lalu lama lantas lebih macam maka
        makanya makin malah malahan mampu mana manakala maupun masih masing mau melainkan melalui memang mengapa
        mereka merekalah meski meskipun mungkin nah namun nanti nya nyaris oleh olehnya pada padahal paling pantas
        para pasti per pernah perlu pula pun punya saat saja saling sama sambil sampai sana sangat saya sayalah se
        seakan seandainya sebab sebabnya sebagai sebagaimana sebagian sebaliknya sebelum sebelumnya sebenarnya
        seberapa sebuah secara sedang sedangkan sedikit segala segera sehingga sejak sejenak sekali sekalian sekaligus
        sekalipun sekarang sekitar selagi selain selalu selama selanjutnya seluruh semacam semakin semasa sementara
        semua semuanya sendiri sendirinya seolah seorang sepanjang seperti sepertinya sering serta sesuatu sesudah
        sesudahnya setelah seterusnya setiap setidaknya siapa siapakah siapapun sini situ suatu sudah sudahkah supaya
        tadi tadinya tak tanpa tapi telah tentang tentu tentunya terdiri terhadap terlalu terlebih tersebut tertentu
        tetapi tiap tidak tidakkah toh untuk walau walaupun wong yaitu yakni yang
        """

    static let chinese = """
        我 我们 你 你们 您 他 他们 她 她们 它 它们 咱 咱们 自己 自身 本身 别人 大家 人家 各自 彼此 谁 什么 啥 哪 哪个 哪些 哪里 哪儿 怎么 怎样 怎么样 为什么 为何 如何 多少 几 何时 何处 这
        这个 这些 这里 这儿 这样 这么 这种 这次 这时 那 那个 那些 那里 那儿 那样 那么 那种 那时 此 此时 此外 该 本 某 某个 某些 每 每个 各 各个 各种 其 其中 其他 其它 其余 另 另外 有些 有的
        一 一个 一些 一样 一般 一直 一定 一起 两 些 个 第 的 地 得 着 了 过 们 之 所 者 等 等等 似的 般 吗 呢 吧 啊 呀 哦 嘛 啦 哇 嗯 唉 哎 喂 哈 呵 罢了 而已 是 不是 就是 还是 也是
        有 没有 没 无 非 不 别 勿 未 会 能 能够 可 可以 可能 要 想 应 应该 应当 必须 需要 得以 让 使 令 叫 被 把 将 给 做 作为 成为 来 去 到 在 正在 曾 曾经 已 已经 和 与 及 以及 同
        跟 并 并且 而 而且 或 或者 还 也 又 再 且 但 但是 可是 然而 不过 却 只是 虽 虽然 尽管 即使 哪怕 如果 若 假如 要是 只要 只有 除非 无论 不管 因 因为 由于 所以 因此 因而 于是 从而 既
        既然 则 那就 便 否则 不然 不但 不仅 甚至 何况 例如 比如 譬如 总之 即 即是 也就是 从 自 自从 由 向 往 朝 对 对于 关于 至于 根据 按照 依照 通过 经过 随着 沿着 为 为了 以 以便 用 于
        比 除了 除 当 当时 之前 之后 以前 以后 之间 之一 以上 以下 以来 上 下 里 中 内 外 前 后 时 时候 就 才 都 只 仅 更 最 很 太 非常 十分 比较 较 几乎 大约 左右 仍 仍然 依然 常常
        经常 往往 有时 马上 刚 刚刚 先 然后 接着 最后 其实 当然 的话 所有 全部 任何 许多 不少 多 少 什么样
        """

    static let japanese = """
        私 わたし わたくし 僕 ぼく 俺 おれ あなた あなたがた 君 きみ 彼 彼ら 彼女 彼女ら 私たち 我々 われわれ 自分 誰 だれ どなた みんな みなさん これ それ あれ どれ この その あの どの ここ そこ
        あそこ どこ こちら そちら あちら どちら こっち そっち あっち どっち こう そう ああ どう こんな そんな あんな どんな これら それら あれら 何 なに なん いつ いくつ いくら なぜ どうして は が
        を に へ と で の も や か ね よ な ぞ わ さ し から まで より だけ しか ばかり ほど くらい ぐらい など なんか こそ さえ でも とも のに ので けど けれど けれども ながら つつ たり
        ては とか って には では とは へは からは にも への との での からの までの について に対して に対する によって による により において における として にとって に関して に関する のため のように
        だ です である であり であった でした だった だろう でしょう じゃ ではない ない なかった なく なければ ません ある あり あって あった あります いる いて いた います おり おります なる なり
        なって なった なります する して した します せず される され された させる できる でき できた できます れる られる せる たい たく た て てい ている ていた てある ておく てしまう ます ました
        まして う よう らしい そうだ ようだ みたい べき いう という といった いい くる くれる もらう あげる おく みる しまう ほしい そして それで それでは それでも それから それに そこで しかし しかも
        だが だから ただ ただし つまり また または あるいは および 及び ならびに 並びに かつ もし もしも たとえば 例えば すなわち 即ち さて ところで ところが なお むしろ 従って したがって もう まだ
        すぐ とても かなり もっと 最も もっとも ほとんど すべて 全て 全部 ほか 他 各 同じ いろいろ 様々 さまざま たくさん 少し すこし ちょっと やはり やっと 特に とくに 必ず たぶん おそらく いつも
        時々 こと もの ところ とき 時 ため 為 ほう 方 うち 中 間 あいだ 前 後 あと 上 下 以上 以下 以前 以後 以外 さん ちゃん くん 様 氏 たち 達 ら ごと ずつ 的 等 はい いいえ
        """
}
